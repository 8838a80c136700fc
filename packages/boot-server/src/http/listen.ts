import { parseListenAddress } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
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
