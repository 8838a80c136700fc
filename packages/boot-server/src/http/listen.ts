import { parseListenAddress } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { BootServerConfig } from '../config.ts';
import type { HttpListen } from './server.ts';

/** Where HTTP listens, as configured. Throws BootServerError CONFIG_INVALID. */
export function parseHttpListen(listen: string | readonly string[]): [HttpListen, ...HttpListen[]] {
  const [first, ...rest] = [listen].flat().map((text) => {
    const parsed = parseListenAddress(text);
    if (parsed?.kind === 'tcp') return { address: parsed.address, port: parsed.port };
    throw new BootServerError(
      BootServerErrorCode.ConfigInvalid,
      'http.listen: machines cannot reach a unix socket: write address:port',
    );
  });
  if (first === undefined) throw new BootServerError(BootServerErrorCode.ConfigInvalid, 'http.listen names no address');
  return [first, ...rest];
}

/** The HTTPS listener, and the base of its URLs without a slash at the end. Throws BootServerError CONFIG_INVALID. */
export function planTls(config: BootServerConfig): { readonly listen: HttpListen; readonly url: string } | undefined {
  const { tls } = config.http;
  if (tls === undefined) return undefined;
  const [listen] = parseHttpListen(tls.listen);
  const { certFile, keyFile } = tls;
  const url = tls.url ?? `https://${config.advertiseAddress}:${listen.port}`;
  return { listen: { ...listen, tls: { certFile, keyFile } }, url: url.replace(/\/+$/, '') };
}
