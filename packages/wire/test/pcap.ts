import { parseIpv4, type Ipv4 } from '../src/ipv4.ts';

/** A UDP datagram or an LLDP frame out of a capture. */
export type Captured =
  | { readonly kind: 'udp'; readonly source: Endpoint; readonly target: Endpoint; readonly payload: Uint8Array }
  | { readonly kind: 'lldp'; readonly frame: Uint8Array };

interface Endpoint {
  readonly address: Ipv4;
  readonly port: number;
}

/** Reads a classic pcap file of Ethernet frames, either byte order; whole unfragmented UDP and LLDP frames only. */
export function readPcap(contents: Uint8Array): Captured[] {
  // A copy: slices of a Node Buffer would share its memory.
  const file = Uint8Array.from(contents);
  const data = new DataView(file.buffer);
  const little = data.getUint8(0) !== 0xa1;
  const magic = data.getUint32(0, little);
  if (magic !== 0xa1b2c3d4 && magic !== 0xa1b23c4d) throw new Error('not a classic pcap file');
  if (data.getUint32(20, little) !== 1) throw new Error('not a capture of Ethernet');
  const found: Captured[] = [];
  let offset = 24;
  while (offset + 16 <= file.length) {
    const length = data.getUint32(offset + 8, little);
    if (length !== data.getUint32(offset + 12, little)) throw new Error(`frame at ${offset} was cut short`);
    const captured = readFrame(file.slice(offset + 16, offset + 16 + length));
    if (captured) found.push(captured);
    offset += 16 + length;
  }
  return found;
}

function readFrame(frame: Uint8Array): Captured | undefined {
  const data = new DataView(frame.buffer);
  const ethertype = data.getUint16(12);
  if (ethertype === 0x88cc) return { kind: 'lldp', frame };
  const PROTOCOL_UDP = 17;
  if (ethertype !== 0x0800 || data.getUint8(23) !== PROTOCOL_UDP || (data.getUint16(20) & 0x3fff) !== 0)
    return undefined;
  const udp = 14 + (data.getUint8(14) & 15) * 4;
  return {
    kind: 'udp',
    source: { address: address(frame, 26), port: data.getUint16(udp) },
    target: { address: address(frame, 30), port: data.getUint16(udp + 2) },
    payload: frame.slice(udp + 8, udp + data.getUint16(udp + 4)),
  };
}

function address(frame: Uint8Array, offset: number): Ipv4 {
  const parsed = parseIpv4(frame.subarray(offset, offset + 4).join('.'));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}
