import { parseListenAddress } from '@ingot/daemon';
import { configInvalid } from '../errors.ts';
import type { BootServerConfig } from '../config.ts';
import { parseInterfaceListen } from '../config/fields.ts';
import { listenPlaces } from '../listen/listen-place.ts';
import type { TlsFiles } from './tls.ts';

export interface HttpListen {
  readonly address: string;
  readonly port: number;
  /** Only what arrives at this interface (or VRF device); undefined: at all of them. */
  readonly interface?: string;
  /** Undefined: without TLS. */
  readonly tls?: TlsFiles | undefined;
}

/** Where HTTP listens, as configured; an interface is a place for each family. Throws BootServerError CONFIG_INVALID. */
export function parseHttpListen(listen: string | readonly string[]): [HttpListen, ...HttpListen[]] {
  const [first, ...rest] = [listen].flat().flatMap((text): HttpListen[] => {
    const parsed = parseListenAddress(text);
    if (parsed?.kind === 'tcp') return [{ address: parsed.address, port: parsed.port }];
    const own = parseInterfaceListen(text);
    if (own !== undefined) return listenPlaces([own.name]).map((place) => ({ ...place, port: own.port }));
    throw configInvalid('http.listen: machines cannot reach a unix socket: write address:port');
  });
  if (first === undefined) throw configInvalid('http.listen names no address');
  return [first, ...rest];
}

/** The HTTPS listeners, and the base of their URLs without a slash at the end. Throws BootServerError CONFIG_INVALID. */
export function planTls(
  config: BootServerConfig,
): { readonly listen: readonly HttpListen[]; readonly url: string } | undefined {
  const { tls } = config.http;
  if (tls === undefined) return undefined;
  const listen = parseHttpListen(tls.listen);
  const { certFile, keyFile } = tls;
  const url = tls.url ?? `https://${config.advertiseAddress}:${listen[0].port}`;
  return { listen: listen.map((each) => ({ ...each, tls: { certFile, keyFile } })), url: url.replace(/\/+$/, '') };
}
