/** Where an API server is, in the words of grpc-js. */
export interface Endpoint {
  /** `ipv4:10.0.0.1:9443`, `dns:api.lab:9443`, `unix:/run/ingot/api.sock`. */
  readonly target: string;
  /** The name that the certificate must carry where the target has none. */
  readonly serverName: string | undefined;
}

/**
 * Reads `https://10.0.0.1:9443`, `https://api.lab` (port 443) or `unix:/path`. Plain text is not offered: bearer tokens
 * travel in every call. Throws RangeError with what to write instead.
 */
export function parseEndpoint(url: string): Endpoint {
  if (url.startsWith('unix:/')) return { target: url, serverName: 'localhost' };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.protocol !== 'https:' || (parsed.pathname !== '/' && parsed.pathname !== '')) {
    throw new RangeError(`"${url}" is no API address: write https://host:port or unix:/path`);
  }
  const port = parsed.port === '' ? '443' : parsed.port;
  return { target: `dns:${parsed.hostname}:${port}`, serverName: undefined };
}
