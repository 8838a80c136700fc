import type { Logger } from '@ingot/daemon';
import type { AdmissionGate } from '../admission.ts';
import type { BootResolver } from '../api/boot-resolver.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseMac, parseUuid } from '../identity.ts';
import { renderBootScript, renderUuidScript } from '../ipxe/script.ts';
import type { BootMetrics } from '../metrics.ts';
import type { BootAnswer } from '../store/boots.ts';
import type { NonceStore } from '../store/nonces.ts';
import { sendText, type Request } from './reply.ts';

export interface ScriptRouteComponents {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly gate: AdmissionGate;
  readonly resolver: BootResolver;
  readonly nonces: NonceStore;
  /** Base of all URLs, without a slash at the end. */
  readonly httpUrl: string;
}

/**
 * `/_/ipxe?mac=&uuid=&arch=`: the script that boots this machine. What is refused is refused in words, for iPXE shows
 * the status only but a person with curl sees the text.
 */
export async function serveScript(request: Request, components: ScriptRouteComponents): Promise<void> {
  const { log, metrics, gate, resolver, nonces, httpUrl } = components;
  const { query } = request;
  const refuse = (status: number, reason: string, message: string, mac?: string): void => {
    metrics.drop('http', reason);
    log.warn({ event: 'http.refused', mac, reason }, `no boot script: ${message}`);
    sendText(request, status, `${message}\n`);
  };
  const macText = query.get('mac');
  if (macText === null) return refuse(400, 'bad-request', 'missing MAC address parameter');
  const mac = parseMac(macText);
  if (mac === undefined) return refuse(400, 'bad-request', 'invalid MAC address');
  const uuidText = query.get('uuid');
  const claimed = uuidText === null || uuidText === '' ? undefined : parseUuid(uuidText);
  if (uuidText !== null && uuidText !== '' && claimed === undefined)
    return refuse(400, 'bad-request', 'invalid UUID', mac);
  if (request.source === undefined) return refuse(403, 'wrong-source', 'machines boot over IPv4', mac);

  const admission = gate.admitScript(mac, claimed, request.source);
  if (!admission.ok)
    return refuse(admission.reason === 'not-seen' ? 404 : 403, admission.reason, admission.message, mac);
  const { uuid } = admission;
  if (uuid === undefined) {
    // Its DHCP showed none, but iPXE reads SMBIOS itself: let it ask once more, with what it finds there.
    if (uuidText === null)
      return sendText(
        request,
        200,
        renderUuidScript(`${httpUrl}/_/ipxe?arch=${encodeURIComponent(query.get('arch') ?? '0')}&mac=${mac}`),
      );
    return refuse(404, 'no-uuid', `${mac} shows no SMBIOS UUID: set one in its firmware`, mac);
  }

  let answer: BootAnswer;
  try {
    answer = await resolver.resolve(mac);
  } catch (error) {
    const isAway = error instanceof BootServerError && error.code === BootServerErrorCode.ApiAway;
    return refuse(
      isAway ? 503 : 404,
      isAway ? 'api-away' : 'api-refused',
      error instanceof Error ? error.message : String(error),
      mac,
    );
  }
  const fileUrl = (uri: string, type: string): string =>
    `${httpUrl}/_/file?name=${resolver.nameOf(uri)}&type=${type}&mac=${mac}`;
  const nonce = nonces.issue(mac, uuid);
  const cmdline = [
    answer.cmdline,
    `PIXIE_API_URL=${httpUrl}/config/${uuid}?nonce=${nonce}`,
    `BOOTIF=01-${mac.replaceAll(':', '-')}`,
  ].filter((part) => part !== '');
  const script = renderBootScript({
    message: `Ingot boots machine ${uuid} through ${mac}`,
    kernelUrl: fileUrl(answer.kernel, 'kernel'),
    initrdUrls: answer.initRamDisks.map((uri) => fileUrl(uri, 'initrd')),
    bootingUrl: `${httpUrl}/_/booting?mac=${mac}`,
    cmdline: cmdline.join(' '),
  });
  metrics.stage('http.script');
  log.info({ event: 'http.script', mac, uuid, kernel: answer.kernel }, 'gave the boot script');
  sendText(request, 200, script);
}
