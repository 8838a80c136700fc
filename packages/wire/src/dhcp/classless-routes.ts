import { Cursor } from '../cursor.ts';
import { bytesOfIpv4, ipv4At } from '../ipv4.ts';
import type { Ipv4, Ipv4Subnet } from '../ipv4.ts';
import { concatBytes } from '../bytes.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded, Read } from '../result.ts';
import { OptionCode } from './option-code.ts';
import type { OptionMap } from './option-map.ts';

/** A static route; router 0.0.0.0 means that the destination is on the link. */
export interface ClasslessRoute {
  readonly destination: Ipv4Subnet;
  readonly router: Ipv4;
}

/** Option 121 (RFC 3442). */
export function readClasslessRoutes(options: OptionMap): Read<readonly ClasslessRoute[]> {
  const data = options.get(OptionCode.CLASSLESS_ROUTES);
  return data === undefined ? undefined : decodeClasslessRoutes(data);
}

/** The value of option 121: prefix length, only the significant bytes of the network, router; repeated. */
export function decodeClasslessRoutes(data: Uint8Array): Decoded<readonly ClasslessRoute[]> {
  const cursor = new Cursor(data);
  const routes: ClasslessRoute[] = [];
  while (cursor.remaining > 0) {
    const start = cursor.offset;
    const prefixLength = cursor.uint8('prefix length');
    if (prefixLength > 32) return malformed(start, `a prefix of ${prefixLength} bits is longer than 32`);
    const network = new Uint8Array(4);
    network.set(cursor.take(Math.ceil(prefixLength / 8), 'network'));
    const router = cursor.take(4, 'router');
    if (cursor.overrun !== undefined) return cursor.overrun;
    routes.push({ destination: { network: ipv4At(network, 0), prefixLength }, router: ipv4At(router, 0) });
  }
  return accept(routes);
}

export function encodeClasslessRoutes(routes: readonly ClasslessRoute[]): Uint8Array {
  return concatBytes(
    routes.flatMap(({ destination: { network, prefixLength }, router }) => [
      Uint8Array.of(prefixLength),
      bytesOfIpv4(network).subarray(0, Math.ceil(prefixLength / 8)),
      bytesOfIpv4(router),
    ]),
  );
}
