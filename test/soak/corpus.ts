import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as dhcpv6 from '../../packages/wire/test/dhcpv6-goldens.ts';
import { readPcap } from '../../packages/wire/test/pcap.ts';

const GOLDENS = fileURLToPath(new URL('../../packages/wire/test/goldens', import.meta.url));

/** Addresses of the captures, as bytes, and what they are in the run: the server's, and those behind the attacked relay. */
const ADDRESSES: readonly (readonly [from: string, to: string])[] = [
  ['\x0a\x00\x00\x01', '\x0a\x09\x00\x01'],
  ['\x0a\x00\x01', '\x0a\x0a\x00'],
  ['\x0a\x00\x02', '\x0a\x0a\x00'],
];

/** Requests by hand: captures have no client that wants out of the published folder. */
const TFTP = [
  '\0\x01snponly.efi\0octet\0',
  '\0\x01snponly.efi\0octet\0tsize\x000\0blksize\x001468\0windowsize\x004\0',
  '\0\x0152-54-00-00-01-01/snponly.efi\0octet\0blksize\x0065464\0windowsize\x0065535\0timeout\x00255\0',
  '\0\x01autoexec.ipxe\0octet\0',
  '\0\x01../../../../etc/passwd\0octet\0',
  '\0\x01/etc/shadow\0netascii\0blksize\x008\0multicast\0\0',
  '\0\x02snponly.efi\0octet\0',
  '\0\x04\0\0',
  '\0\x04\xff\xff',
  '\0\x05\0\x08no\0',
  '\0\x06blksize\x001468\0',
];

/** Real packets for each UDP listener, in the form that fuzz-send reads: port, length, bytes. */
export function fuzzCorpus(): Buffer {
  const entries: Buffer[] = [];
  const add = (port: number, payload: string): void => {
    const bytes = Buffer.from(payload, 'latin1');
    const head = Buffer.alloc(4);
    head.writeUInt16BE(port, 0);
    head.writeUInt16BE(bytes.length, 2);
    entries.push(head, bytes);
  };
  const dhcp: string[] = [];
  const tftp: string[] = [...TFTP];
  for (const name of readdirSync(GOLDENS).filter((file) => file.endsWith('.pcap'))) {
    for (const captured of readPcap(readFileSync(join(GOLDENS, name)))) {
      if (captured.kind !== 'udp') continue;
      let payload = Buffer.from(captured.payload).toString('latin1');
      for (const [from, to] of ADDRESSES) payload = payload.replaceAll(from, to);
      if (captured.target.port === 67 || captured.target.port === 68) dhcp.push(payload);
      else tftp.push(payload);
    }
  }
  for (const payload of dhcp) for (const port of [67, 67, 67, 4011]) add(port, payload);
  const { SOLICIT, REQUEST, RELEASE, INFORMATION_REQUEST, ADVERTISE, REPLY, relayed } = dhcpv6;
  const v6 = [SOLICIT, REQUEST, RELEASE, INFORMATION_REQUEST, ADVERTISE, REPLY];
  for (const message of [...v6, ...v6.slice(0, 4).map((one) => relayed('0c', one)), relayed('0d', REPLY)]) {
    const payload = Buffer.from(message.replaceAll(/\s/g, ''), 'hex').toString('latin1');
    for (let time = 0; time < 8; time += 1) add(547, payload);
  }
  // As many TFTP packets as half of the others: the captures have few.
  const times = Math.ceil((dhcp.length * 2) / tftp.length);
  for (let time = 0; time < times; time += 1) for (const payload of tftp) add(69, payload);
  return Buffer.concat(entries);
}
