import { IpxeFeature } from '@ingot/wire';
import type { Architecture, FirmwareName } from './architectures.ts';
import { identifyClient, type BootRequest } from './client.ts';
import { quirksOf } from './quirks.ts';

/** What a client is told to load next. `not-ours`: a source says so, or none knows the machine. */
export type BootDecision =
  | {
      readonly kind: 'ignore';
      readonly reason: 'not-booting' | 'unknown-architecture' | 'no-binary' | 'not-ours' | 'needs-pxe';
    }
  /** iPXE: go straight to the script. */
  | { readonly kind: 'script'; readonly url: string }
  /** Plain PXE: load iPXE by TFTP. */
  | { readonly kind: 'chain-tftp'; readonly path: string; readonly firmware: FirmwareName | 'raspberryPi' }
  /** UEFI HTTP boot: load iPXE by URL. `byIpxe`: an iPXE is to, which wants no words for UEFI. */
  | { readonly kind: 'chain-http'; readonly url: string; readonly firmware: FirmwareName; readonly byIpxe?: true };

/** The path or URL that a client is told to load, for the log; undefined for none. */
export function loadTarget(decision: BootDecision): string | undefined {
  if (decision.kind === 'ignore') return undefined;
  return decision.kind === 'chain-tftp' ? decision.path : decision.url;
}

/** File name of the iPXE binary for each kind of machine. */
export type Binaries = { readonly [Name in FirmwareName]?: string | undefined };

export interface DecisionConfig {
  /** Base of all URLs, without a slash at the end: `http://10.0.0.1:8080`. */
  readonly httpUrl: string;
  /** The same over HTTPS, for iPXE builds that say that they can; undefined: HTTP for all. */
  readonly httpsUrl?: string | undefined;
  readonly binaries: Binaries;
}

export interface BootHints {
  /** Instead of the binary of the architecture: a published file, or a URL for UEFI HTTP boot. */
  readonly loader?: string | undefined;
  /** Whether an iPXE that could run the script is given our binary first: it is another build, with another's drivers. */
  readonly chain?: boolean;
}

/** The one table of what boots what. */
export function decideBoot(request: BootRequest, config: DecisionConfig, hints: BootHints = {}): BootDecision {
  const client = identifyClient(request);
  switch (client.kind) {
    case 'not-booting':
    case 'unknown-architecture':
      return { kind: 'ignore', reason: client.kind };
    case 'ipxe':
      if (hints.chain === true && !client.own && client.architecture !== undefined)
        return chain(request, client.architecture, config, hints);
      return { kind: 'script', url: scriptUrl(scriptBase(request, config), { ...request, arch: client.scriptArch }) };
    case 'firmware':
      return chain(request, client.architecture, config, hints);
    case 'raspberry-pi':
      // It asks for files of names of its own, all from tftp.root; this is the first that the oldest of them wants.
      return { kind: 'chain-tftp', path: 'bootcode.bin', firmware: 'raspberryPi' };
    default:
      return client satisfies never;
  }
}

function scriptBase({ ipxeFeatures }: BootRequest, { httpUrl, httpsUrl }: DecisionConfig): string {
  return httpsUrl !== undefined && ipxeFeatures?.has(IpxeFeature.HTTPS) === true ? httpsUrl : httpUrl;
}

/**
 * Debian's signed GRUB, and the shim that loads it: it has no HTTP, and reads its network settings from what firmware
 * keeps of PXE. Another build is named by its URL.
 */
const LOADS_BY_TFTP = /^(?:shim|grub)[\w.-]*\.efi(?:\.signed)?$/i;

function chain(
  request: BootRequest,
  { firmware, loads, fileWithoutBinary }: Architecture,
  { binaries, httpUrl }: DecisionConfig,
  { loader }: BootHints,
): BootDecision {
  const isUrl = loader?.includes('://') === true;
  if (isUrl && loads === 'http') return { kind: 'chain-http', url: loader, firmware };
  // Plain PXE cannot load a URL.
  const file = isUrl ? binaries[firmware] : (loader ?? binaries[firmware] ?? fileWithoutBinary);
  if (file === undefined) return { kind: 'ignore', reason: 'no-binary' };
  // Without an offer the firmware goes on to its PXE entry; with one it would stop at GRUB's prompt.
  if (loads === 'http' && LOADS_BY_TFTP.test(file)) return { kind: 'ignore', reason: 'needs-pxe' };
  const path = bootFilePath(request.mac, file);
  if (quirksOf(request).chainByHttp === true && request.ipxeFeatures?.has(IpxeFeature.HTTP) === true)
    return { kind: 'chain-http', url: `${httpUrl}/boot/${path}`, firmware, byIpxe: true };
  if (loads === 'tftp') return { kind: 'chain-tftp', path, firmware };
  return { kind: 'chain-http', url: `${httpUrl}/boot/${path}`, firmware };
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
