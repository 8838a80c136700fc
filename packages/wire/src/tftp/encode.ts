import { concatBytes, EMPTY } from '../bytes.ts';
import { setUint16 } from '../cursor.ts';
import { bytesOfLatin1 } from '../text.ts';
import { TftpOpcode } from './packet.ts';
import type { TftpOption, TftpPacket } from './packet.ts';

const NUL: Uint8Array = new Uint8Array(1);

/**
 * The bytes of a packet; the exact reverse of `decodeTftp`.
 *
 * @throws RangeError if a text has a character above U+00FF: texts have one character a byte.
 */
export function encodeTftp(packet: TftpPacket): Uint8Array {
  switch (packet.kind) {
    case 'rrq':
    case 'wrq':
      return concatBytes([
        uint16s(packet.kind === 'rrq' ? TftpOpcode.RRQ : TftpOpcode.WRQ),
        bytesOfLatin1(`${packet.filename}\0${packet.mode}\0${optionText(packet.options)}`),
        packet.trailing,
      ]);
    case 'data':
      return encodeTftpData(packet.block, packet.data);
    case 'ack':
      return concatBytes([uint16s(TftpOpcode.ACK, packet.block), packet.trailing]);
    case 'error':
      return concatBytes([
        uint16s(TftpOpcode.ERROR, packet.code),
        bytesOfLatin1(packet.message),
        packet.terminated ? NUL : EMPTY,
        packet.trailing,
      ]);
    case 'oack':
      return concatBytes([uint16s(TftpOpcode.OACK), bytesOfLatin1(optionText(packet.options)), packet.trailing]);
  }
}

/** A DATA packet without the object in between: a transfer of 40 MB sends 28,000 of them. */
export function encodeTftpData(block: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + data.length);
  setUint16(bytes, 0, TftpOpcode.DATA);
  setUint16(bytes, 2, block);
  bytes.set(data, 4);
  return bytes;
}

function optionText(options: readonly TftpOption[]): string {
  return options.map(({ name, value }) => `${name}\0${value}\0`).join('');
}

function uint16s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  values.forEach((value, index) => setUint16(bytes, index * 2, value));
  return bytes;
}
