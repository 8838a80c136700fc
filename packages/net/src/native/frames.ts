import type { Libc } from './libc.ts';

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
const ETH_P_IP = 0x0800;
/** struct sockaddr_ll */
const LINK_ADDRESS_BYTES = 20;
const MAC_BYTES = 6;
const ENDIANNESS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Sends IPv4 packets to a hardware address, without asking by ARP: packet(7). It receives nothing. */
export interface FrameSocket {
  /** `mac`: 6 bytes. False where the kernel does not take it. */
  send(interfaceIndex: number, mac: Uint8Array, packet: Uint8Array): boolean;
  close(): void;
}

/** Undefined without CAP_NET_RAW. */
export function openFrames(libc: Libc): FrameSocket | undefined {
  // Protocol 0: no packet is queued for us.
  const fd = libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const address = new Uint8Array(LINK_ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, ENDIANNESS_LITTLE);
  view.setUint16(2, ETH_P_IP);
  view.setUint8(11, MAC_BYTES);
  return {
    send: (interfaceIndex, mac, packet) => {
      view.setInt32(4, interfaceIndex, ENDIANNESS_LITTLE);
      address.set(mac.subarray(0, MAC_BYTES), 12);
      return libc.sendto(fd, packet, 0, address) === packet.byteLength;
    },
    close: () => void libc.close(fd),
  };
}
