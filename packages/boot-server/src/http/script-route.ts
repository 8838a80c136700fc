import type { Logger } from '@ingot/daemon';
import type { BootIssuer } from '../decide/boot-issuer.ts';
import type { ScriptSetting } from '../decide/boot-steps.ts';
import { parseMac, parseUuid } from '../identity.ts';
import { renderAskScript, renderIpxeScript } from '../ipxe/script.ts';
import type { BootMetrics } from '../metrics.ts';
import { noteScript } from '../published/note-script.ts';
import { sendText } from './reply.ts';
import type { Request } from './request.ts';

export interface ScriptRouteComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly issuer: BootIssuer;
  /** Bases of URLs that a client at this address reaches, without a slash at the end: this server's own first. */
  readonly basesOf: (source: string) => ScriptSetting['bases'];
  /** The same for machines that ask over HTTPS: they have proved that they can. */
  readonly basesTls?: ScriptSetting['bases'] | undefined;
}

/** The bases of URLs that whoever asks can reach. */
export function basesFor(
  { basesOf, basesTls }: Pick<ScriptRouteComponents, 'basesOf' | 'basesTls'>,
  { source, incoming }: Pick<Request, 'source' | 'incoming'>,
): ScriptSetting['bases'] {
  if (basesTls !== undefined && 'encrypted' in incoming.socket) return basesTls;
  return basesOf(source ?? '');
}

/** SMBIOS texts end at the first NUL; the longest that are seen have some 40 characters. */
const SERIAL_CHARACTERS = 128;

/**
 * `/_/ipxe?mac=&arch=&uuid=&serial=&entry=`: the script that boots this machine. What is refused is refused in words,
 * for iPXE shows the status only but a person with curl sees the text.
 */
export async function serveScript(request: Request, components: ScriptRouteComponents): Promise<void> {
  const { log, metrics, issuer } = components;
  const { query, source } = request;
  const bases = basesFor(components, request);
  const refuse = (status: number, reason: string, message: string, mac?: string): void => {
    metrics.drop('http', reason);
    log.warn({ event: 'http.refused', mac, reason }, `no boot script: ${message}`);
    sendText(request, status, `${message}\n`);
  };
  const macText = query.get('mac');
  if (macText === null) return refuse(400, 'bad-request', 'missing MAC address parameter');
  const mac = parseMac(macText);
  if (mac === undefined) return refuse(400, 'bad-request', 'invalid MAC address');
  const arch = query.get('arch') ?? '0';
  if (!/^\w{1,16}$/.test(arch)) return refuse(400, 'bad-request', 'invalid architecture', mac);
  const uuidText = query.get('uuid');
  const uuid = uuidText === null || uuidText === '' ? undefined : parseUuid(uuidText);
  if (uuidText !== null && uuidText !== '' && uuid === undefined)
    return refuse(400, 'bad-request', 'invalid UUID', mac);
  const serial = query.get('serial')?.slice(0, SERIAL_CHARACTERS).trim();
  const entry = query.get('entry') ?? undefined;
  if (source === undefined) return refuse(403, 'wrong-source', 'the machine has left', mac);

  const answer = await issuer.issue({
    mac,
    source,
    base: bases[0],
    arch,
    uuid,
    serial,
    saidUuid: uuidText !== null,
    entry,
  });
  switch (answer.kind) {
    case 'refused':
      return refuse(answer.status, answer.reason, answer.message, mac);
    case 'ask':
      return sendText(request, 200, renderAskScript(`${bases[0]}/_/ipxe?arch=${arch}&mac=${mac}`, answer.serial));
    case 'steps':
      noteScript(components, mac, answer);
      return sendText(request, 200, renderIpxeScript(answer.steps, { mac, bases }));
    default:
      return answer satisfies never;
  }
}
