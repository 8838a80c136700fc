import { isIP } from 'node:net';

/** Where an API server is, in the words of grpc-js. */
export interface Endpoint {
  /** `dns:10.0.0.1:9443`, `dns:api.lab:9443`, `unix:/run/ingot/api.sock`. */
  readonly target: string;
  /** Host name or IP address that the certificate must carry. */
  readonly identity: string;
}

/**
 * Reads `https://10.0.0.1:9443`, `https://api.lab` (port 443) or `unix:/path`. Plain text is not offered: bearer tokens
 * travel in every call. Throws RangeError with what to write instead.
 */
export function parseEndpoint(url: string): Endpoint {
  if (url.startsWith('unix:/')) return { target: url, identity: 'localhost' };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.protocol !== 'https:' || (parsed.pathname !== '/' && parsed.pathname !== '')) {
    throw new RangeError(`"${url}" is no API address: write https://host:port or unix:/path`);
  }
  const port = parsed.port === '' ? '443' : parsed.port;
  return { target: `dns:${parsed.hostname}:${port}`, identity: parsed.hostname.replace(/^\[(.*)\]$/, '$1') };
}

/**
 * What to send as TLS server name. RFC 6066, section 3 forbids addresses there and Node refuses them, while grpc-js sends
 * whatever it dials; a name reserved for nothing (RFC 2606) stands in, and the address is checked all the same.
 */
export function tlsServerName(identity: string): string {
  return isIP(identity) === 0 ? identity : 'ip-address.invalid';
}
