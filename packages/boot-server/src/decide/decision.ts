import type { FirmwareName } from './architectures.ts';
import { identifyClient, type BootRequest } from './client.ts';

/** What a client is told to load next. */
export type BootDecision =
  | { readonly kind: 'ignore'; readonly reason: 'not-booting' | 'unknown-architecture' | 'no-binary' }
  /** iPXE: go straight to the script. */
  | { readonly kind: 'script'; readonly url: string }
  /** Plain PXE: load iPXE by TFTP. */
  | { readonly kind: 'chain-tftp'; readonly path: string; readonly firmware: FirmwareName }
  /** UEFI HTTP boot: load iPXE by URL. */
  | { readonly kind: 'chain-http'; readonly url: string; readonly firmware: FirmwareName };

/** File name of the iPXE binary for each kind of machine. */
export type Binaries = { readonly [Name in FirmwareName]?: string | undefined };

export interface DecisionConfig {
  /** Base of all URLs, without a slash at the end: `http://10.0.0.1:8080`. */
  readonly httpUrl: string;
  readonly binaries: Binaries;
}

/** The one table of what boots what. */
export function decideBoot(request: BootRequest, config: DecisionConfig): BootDecision {
  const client = identifyClient(request);
  switch (client.kind) {
    case 'not-booting':
    case 'unknown-architecture':
      return { kind: 'ignore', reason: client.kind };
    case 'ipxe':
      return { kind: 'script', url: scriptUrl(config.httpUrl, { ...request, arch: client.scriptArch }) };
    case 'firmware': {
      const { firmware, loads } = client.architecture;
      const file = config.binaries[firmware];
      if (file === undefined) return { kind: 'ignore', reason: 'no-binary' };
      const path = bootFilePath(request.mac, file);
      if (loads === 'tftp') return { kind: 'chain-tftp', path, firmware };
      return { kind: 'chain-http', url: `${config.httpUrl}/boot/${path}`, firmware };
    }
    default:
      return client satisfies never;
  }
}

/** `arch` first, as existing iPXE builds and tests of this URL have it. The mac is left unescaped: iPXE needs no escape. */
function scriptUrl(httpUrl: string, client: { mac: string; uuid: string | undefined; arch: string }): string {
  const uuid = client.uuid === undefined ? '' : `&uuid=${client.uuid}`;
  return `${httpUrl}/_/ipxe?arch=${client.arch}&mac=${client.mac}${uuid}`;
}

/**
 * The NIC is part of the path, so that the log can say whose transfer it is even where another server leases the
 * addresses. Dashes, not colons: iPXE takes what stands before a colon for a URI scheme.
 */
export function bootFilePath(mac: string, file: string): string {
  return `${mac.replaceAll(':', '-')}/${file}`;
}

/**
 * Takes a `bootFilePath` apart; a path without a NIC is all file. Runs of slashes count as one: started by UEFI HTTP
 * boot, shim 16.1 asks for `<mac>//grubx64.efi`.
 */
export function parseBootFilePath(path: string): { readonly mac: string | undefined; readonly file: string } {
  const plain = path.replaceAll(/\/{2,}/g, '/');
  const match = /^(?<mac>[0-9a-f]{2}(?:[-:][0-9a-f]{2}){5})\/(?<file>.+)$/i.exec(plain);
  const { mac, file } = match?.groups ?? {};
  if (mac === undefined || file === undefined) return { mac: undefined, file: plain };
  return { mac: mac.toLowerCase().replaceAll('-', ':'), file };
}
