import type { Logger } from '@ingot/daemon';
import type { BootIssuer } from '../decide/boot-issuer.ts';
import { renderPxelinuxConfig } from '../grub/pxelinux.ts';
import { renderGrubConfig, renderGrubRedirect, renderGrubRefusal, type GrubSetting } from '../grub/script.ts';
import { parseMac } from '../identity.ts';
import type { BootMetrics } from '../metrics.ts';
import { noteScript } from './note-script.ts';

export interface LoaderConfigComponents {
  readonly log: Logger;
  /** Undefined: nothing is counted. */
  readonly metrics: BootMetrics | undefined;
  readonly issuer: Pick<BootIssuer, 'issue'>;
  /** Bases of URLs that a client at this address reaches, without a slash at the end: this server's own first. */
  readonly basesOf: (source: string) => GrubSetting['bases'];
  /** Address that GRUB loads by TFTP from, as a client at this address reaches it. */
  readonly tftpServerOf: (source: string) => string;
}

/**
 * The configuration of a boot loader other than iPXE: GRUB's `grub.cfg-01-<mac>`, with `/<entry>` for a choice of its
 * menu, and U-Boot's `pxelinux.cfg/01-<mac>`. A plain `grub.cfg` is that of who asks; where nobody knows whose, it
 * leads GRUB to the one with its NIC. Undefined for any other name, and for what U-Boot cannot carry out.
 */
export async function loaderConfig(
  name: string,
  client: { readonly mac: string | undefined; readonly source: string },
  components: LoaderConfigComponents,
): Promise<string | undefined> {
  const match =
    /^(?:grub\/)?(?<kind>grub\.cfg|pxelinux\.cfg\/)(?<own>-?01-(?<mac>[0-9a-f]{2}(?:[-:][0-9a-f]{2}){5})(?:\/(?<entry>[\w-]{1,32}))?)?$/i.exec(
      name,
    )?.groups;
  if (match === undefined) return undefined;
  const isGrub = match['kind']?.toLowerCase() === 'grub.cfg';
  // grub.cfg-01-…, but pxelinux.cfg/01-…
  if (match['own'] !== undefined && match['own'].startsWith('-') !== isGrub) return undefined;
  if (match['own'] === undefined && !isGrub) return undefined;
  const mac = match['mac'] === undefined ? client.mac : parseMac(match['mac']);
  if (mac === undefined) return renderGrubRedirect();
  const { log, metrics, issuer } = components;
  const bases = components.basesOf(client.source);
  const answer = await issuer.issue({
    mac,
    source: client.source,
    base: bases[0],
    arch: '0',
    uuid: undefined,
    // These boot loaders cannot be asked for what SMBIOS says.
    saidUuid: true,
    serial: '',
    entry: match['entry'],
  });
  if (answer.kind !== 'steps') {
    const message = answer.kind === 'refused' ? answer.message : 'it shows no UUID';
    log.warn(
      { event: 'http.refused', mac, reason: answer.kind === 'refused' ? answer.reason : 'no-uuid', file: name },
      `no boot script: ${message}`,
    );
    return isGrub ? renderGrubRefusal(message) : undefined;
  }
  const text = isGrub
    ? renderGrubConfig(answer.steps, { mac, bases, tftpServer: components.tftpServerOf(client.source) })
    : renderPxelinuxConfig(answer.steps, mac);
  if (text === undefined) return undefined;
  noteScript({ log, metrics }, mac, answer, name);
  return text;
}
