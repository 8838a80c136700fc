import { isIPv6 } from 'node:net';
import type { PeerConfig } from '../config/boot.ts';

/** The other boot servers, by what each is reached under; bases of URLs, without a slash at the end. */
export interface PeerUrls {
  /** One for each of them: for what servers tell each other. */
  readonly announce: readonly string[];
  /** For machines that boot over IPv4. */
  readonly ipv4: readonly string[];
  /** For machines that boot over IPv6. */
  readonly ipv6: readonly string[];
}

/** A URL with an IPv6 address in it is for IPv6, every other one for IPv4. */
export function peerUrls(peers: readonly PeerConfig[]): PeerUrls {
  const all = peers.map((peer) => {
    if (typeof peer !== 'string') return { ipv4: withoutSlash(peer.url), ipv6: withoutSlash(peer.url6) };
    const url = withoutSlash(peer);
    return isIPv6(new URL(url).hostname.replaceAll(/[[\]]/g, '')) ? { ipv6: url } : { ipv4: url };
  });
  return {
    announce: all.flatMap(({ ipv4, ipv6 }) => ipv4 ?? ipv6 ?? []),
    ipv4: all.flatMap(({ ipv4 }) => ipv4 ?? []),
    ipv6: all.flatMap(({ ipv6 }) => ipv6 ?? []),
  };
}

/** For bases of URLs. */
export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
