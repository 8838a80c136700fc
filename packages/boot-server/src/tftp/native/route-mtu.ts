import { isIPv6 } from 'node:net';
import { AF_INET, AF_INET6, packSocketAddress, type Libc } from '@ingot/net';
import { interfaceMtu, type PathMtu } from '../path-mtu.ts';

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
/** ip(7) */
const IPPROTO_IP = 0;
const IP_MTU = 14;
/** ipv6(7) */
const IPPROTO_IPV6 = 41;
const IPV6_MTU = 24;
/** Nothing is sent there. */
const ANY_PORT = 9;

/** The MTU of the route to the client, with what the kernel has learned of the way; without a route, the interface's. */
export function routeMtu(libc: Libc): PathMtu {
  return (local, peer) => {
    // On its link there is no other way than its link.
    if (peer.includes('%')) return interfaceMtu(peer, peer);
    const isV6 = isIPv6(local);
    const fd = libc.socket(isV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return interfaceMtu(local, peer);
    try {
      const mtu = new Int32Array(1);
      const isKnown =
        libc.bind(fd, packSocketAddress({ address: local, port: 0 })) >= 0 &&
        libc.connect(fd, packSocketAddress({ address: peer, port: ANY_PORT })) >= 0 &&
        libc.getsockopt(fd, isV6 ? IPPROTO_IPV6 : IPPROTO_IP, isV6 ? IPV6_MTU : IP_MTU, new Uint8Array(mtu.buffer)) >=
          0;
      const [value = 0] = mtu;
      return isKnown && value > 0 ? value : interfaceMtu(local, peer);
    } finally {
      libc.close(fd);
    }
  };
}
