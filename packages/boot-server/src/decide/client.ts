import { IpxeFeature } from '@ingot/wire';
import { architectureOf, type Architecture } from './architectures.ts';
import { quirksOf } from './quirks.ts';

/** What a boot request shows of itself, read from options 60, 77, 93, 97 and 175. */
export interface BootRequest {
  readonly mac: string;
  /** Option 97 in text form; undefined when absent or not of type 0. */
  readonly uuid: string | undefined;
  /** Option 60. */
  readonly vendorClass: string | undefined;
  /** Option 93, in the client's order. */
  readonly architectures: readonly number[];
  /** Option 77, each class of RFC 3004, or the raw text that most firmware sends instead. */
  readonly userClasses: readonly string[];
  /** Codes of the features that option 175 switches on; undefined without option 175. */
  readonly ipxeFeatures: ReadonlySet<number> | undefined;
  /** PCI vendor of the network card, from option 175. */
  readonly nicVendor?: number | undefined;
  /** The name of its reservation, else what it calls itself (options 12 and 81); lower case. */
  readonly hostname?: string | undefined;
}

/** Who asks, as far as it matters to what it boots. */
export type BootClient =
  /** iPXE that can fetch the script by itself; `own` tells a build made for this from any other. */
  | {
      readonly kind: 'ipxe';
      readonly scriptArch: string;
      readonly own: boolean;
      readonly architecture: Architecture | undefined;
    }
  /** Firmware (or an iPXE that cannot run the script) that needs an iPXE first. */
  | { readonly kind: 'firmware'; readonly architecture: Architecture }
  | { readonly kind: 'raspberry-pi' }
  | { readonly kind: 'not-booting' }
  | { readonly kind: 'unknown-architecture'; readonly architectures: readonly number[] };

/**
 * A stock iPXE sends user class "iPXE" in its firmware ROM as well as after it was chained, so the class alone cannot
 * tell which binary to send next: deciding on it loops. What decides is whether it can go on by itself: HTTP to fetch
 * the script and the kernel, and the kernel format of its platform (bzImage under BIOS, the EFI stub under EFI).
 */
export function identifyClient(request: BootRequest): BootClient {
  const isPxe = request.vendorClass?.startsWith('PXEClient') === true;
  const isHttp = request.vendorClass?.startsWith('HTTPClient') === true;
  const classes = request.userClasses.map((name) => name.toLowerCase());
  const isIpxe = request.ipxeFeatures !== undefined || classes.includes('ipxe');
  // iPXE chained by iPXE shortens option 60, and some ROMs leave it out; operating systems send none of the four.
  if (!isPxe && !isHttp && !isIpxe && request.architectures.length === 0) return { kind: 'not-booting' };

  if (!isIpxe && quirksOf(request).boots === 'raspberry-pi') return { kind: 'raspberry-pi' };

  const known = request.architectures.map(architectureOf).filter((found) => found !== undefined);
  // A client that lists several types takes any of them; HTTP boot refuses an answer of the other kind.
  const wanted = known.find((found) => found.loads === (isHttp ? 'http' : 'tftp')) ?? known[0];

  // "pixiecore" is the class of iPXE builds with an embedded script that speaks this server's HTTP.
  const own = classes.includes('pixiecore');
  if (canRunScript(request.ipxeFeatures) || own)
    return { kind: 'ipxe', scriptArch: wanted?.scriptArch ?? '0', own, architecture: wanted };
  if (wanted !== undefined) return { kind: 'firmware', architecture: wanted };
  const bios = architectureOf(0);
  // PXE 2.1 made option 93 mandatory; ROMs before it exist for BIOS only.
  if (request.architectures.length === 0 && bios !== undefined && !isHttp)
    return { kind: 'firmware', architecture: bios };
  return { kind: 'unknown-architecture', architectures: request.architectures };
}

function canRunScript(features: ReadonlySet<number> | undefined): boolean {
  if (features === undefined || !features.has(IpxeFeature.HTTP)) return false;
  return features.has(IpxeFeature.BZIMAGE) || features.has(IpxeFeature.EFI);
}
