import type { AddressInfo, ListenOptions, Server } from 'node:net';

/** Parses `10.0.0.1:9443`, `[::1]:9443`, `:9443` or `unix:/run/ingot/api.sock`. Throws RangeError with what was wrong. */
export function parseListenTarget(text: string): ListenOptions {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/')) throw new RangeError(`"${text}": a unix socket needs an absolute path`);
    return { path };
  }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RangeError(`"${text}" is no address to listen on: write 10.0.0.1:9443, [::1]:9443 or unix:/path`);
  }
  const host = match[1] ?? match[2] ?? '';
  return host === '' ? { port } : { host, port };
}

/** Starts listening; resolves to the address in the form that a client can dial, with the port that was chosen for 0. */
export function listen(server: Server, target: ListenOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      resolve(written(server.address()));
    });
  });
}

function written(address: AddressInfo | string | null): string {
  if (address === null) throw new Error('the server has closed while it was starting');
  if (typeof address === 'string') return `unix:${address}`;
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
