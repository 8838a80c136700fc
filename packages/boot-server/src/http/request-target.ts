/** What a request asks for. */
export interface RequestTarget {
  /** Decoded; begins with one slash. */
  readonly path: string;
  /** The same as it was sent: there an escaped slash is no slash. */
  readonly rawPath: string;
  readonly query: URLSearchParams;
  /** The host that the target names; undefined where it is a path only. */
  readonly host: string | undefined;
}

/**
 * Reads the target of a GET or HEAD (RFC 9112 §3.2.1, and §3.2.2, which every server has to take). Several slashes at the
 * beginning count as one: they come of a base of URLs that ends in one. Undefined for what is neither.
 */
export function parseRequestTarget(text: string): RequestTarget | undefined {
  const { host, rest = '' } = /^(?:https?:\/\/(?<host>[^/?#]+))?(?<rest>.*)$/is.exec(text)?.groups ?? {};
  if (host === undefined && !rest.startsWith('/')) return undefined;
  const url = URL.parse(`http://boot/${rest.replace(/^\/+/, '')}`);
  if (url === null) return undefined;
  try {
    const rawPath = rest.split(/[?#]/, 1)[0]?.replace(/^\/*/, '/') ?? '/';
    return { path: decodeURIComponent(url.pathname), rawPath, query: url.searchParams, host };
  } catch {
    // Percent signs that stand for no character.
    return undefined;
  }
}
