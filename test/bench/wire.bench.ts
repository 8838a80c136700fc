/**
 * What one DHCP packet costs to decode and encode, beside npm's `dhcp` 0.2.20 on the same bytes in the same run.
 *
 *     node test/bench/wire.bench.ts
 *
 * npm's parser skips options 77, 82, 93, 94, 97 and 175, and its formatter cannot write them: it gets the options it
 * knows and so has less to do. Ours keeps every byte; "read" adds what a boot server looks at in a request.
 */
import { createRequire } from 'node:module';
import {
  buildDhcp,
  decodeDhcp,
  encodeDhcp,
  ipv4Option,
  messageTypeOption,
  parseIpv4,
  pxeVendorOption,
  readClientArchs,
  readIpxeOptions,
  readMachineUuid,
  readMessageType,
  readOptions,
  readRelayAgent,
  textOption,
  uint16Option,
  uint32Option,
  type Decoded,
  type DhcpPacket,
  type Encoded,
  type Ipv4,
} from '@ingot/wire';

/** Each measurement ends at whichever comes first: many short rounds find a quiet moment on a busy machine. */
const ROUNDS = 2000;
const CALLS_PER_ROUND = 100;
const WARM_UP_ROUNDS = 100;
const MAX_MS = 3000;

interface ForeignProtocol {
  parse(packet: Buffer): unknown;
  format(packet: unknown): unknown;
}

function isForeignProtocol(value: unknown): value is ForeignProtocol {
  return typeof value === 'object' && value !== null && 'parse' in value && 'format' in value;
}

function must<T>(result: Decoded<T> | Encoded<T>): T {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

function ip(text: string): Ipv4 {
  return must(parseIpv4(text));
}

const MAC = Uint8Array.of(0x52, 0x54, 0, 0, 1, 1);
const AGENT = { code: 82, data: Uint8Array.of(1, 8, 0x56, 0x6c, 0x61, 0x6e, 0x34, 0x30, 0x30, 0x30) };
const UUID = {
  code: 97,
  data: Uint8Array.of(
    0,
    0x8e,
    0x12,
    0x37,
    0x4b,
    0x72,
    0x6e,
    0x8d,
    0x4a,
    0x87,
    0xda,
    0x8a,
    0xd4,
    0xd7,
    0x75,
    0x58,
    0x2c,
  ),
};

const discover: DhcpPacket = must(
  buildDhcp({
    op: 1,
    hops: 1,
    xid: 0xc3f2a701,
    flags: 0x8000,
    giaddr: ip('10.0.1.1'),
    chaddr: MAC,
    options: [
      messageTypeOption(1),
      uint16Option(57, 1472),
      { code: 55, data: Uint8Array.from({ length: 35 }, (_, index) => index + 1) },
      UUID,
      { code: 94, data: Uint8Array.of(1, 3, 0) },
      uint16Option(93, 7),
      textOption(60, 'PXEClient:Arch:00007:UNDI:003000'),
      AGENT,
    ],
  }),
);

function buildOffer(): DhcpPacket {
  return must(
    buildDhcp({
      op: 2,
      xid: 0xc3f2a701,
      flags: 0x8000,
      yiaddr: ip('10.0.1.100'),
      siaddr: ip('10.0.0.1'),
      giaddr: ip('10.0.1.1'),
      chaddr: MAC,
      file: 'snponly.efi',
      options: [
        messageTypeOption(2),
        ipv4Option(54, ip('10.0.0.1')),
        uint32Option(51, 3600),
        ipv4Option(1, ip('255.255.255.0')),
        ipv4Option(3, ip('10.0.1.1')),
        ipv4Option(6, ip('10.0.0.1')),
        textOption(60, 'PXEClient'),
        pxeVendorOption({ discoveryControl: 8 }),
        UUID,
        AGENT,
      ],
    }),
  );
}

/** Nanoseconds for a call. */
interface Cost {
  /** The fastest round: what the code costs, less what else the machine does. */
  readonly best: number;
  readonly median: number;
}

/** Measures the calls in turns, so that a busy moment hits both. */
function measure(...calls: readonly (() => unknown)[]): readonly Cost[] {
  const rounds: number[][] = calls.map(() => []);
  const deadline = performance.now() + MAX_MS * calls.length;
  let sink: unknown;
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS && (round < 3 || performance.now() < deadline); round++) {
    for (const [turn, call] of calls.entries()) {
      const start = performance.now();
      for (let index = 0; index < CALLS_PER_ROUND; index++) sink = call();
      if (round >= 0) rounds[turn]?.push(((performance.now() - start) * 1e6) / CALLS_PER_ROUND);
    }
  }
  if (sink === undefined) throw new Error('nothing was measured');
  return rounds.map((times) => {
    const sorted = times.toSorted((a, b) => a - b);
    return { best: sorted[0] ?? Number.NaN, median: sorted[sorted.length >> 1] ?? Number.NaN };
  });
}

function row(name: string, ours: () => unknown, theirs?: () => unknown): void {
  const [wire, npm] = quietly(() => measure(ours, ...(theirs ? [theirs] : [])));
  const costs = [wire?.best, wire?.median, npm?.best, npm?.median];
  const cells = costs.map((ns) => (ns === undefined ? '' : ns.toFixed(0)).padStart(8));
  const ratio = wire && npm ? `${(npm.best / wire.best).toFixed(1)}x`.padStart(8) : '';
  console.log(`${name.padEnd(30)}${cells.join('')}${ratio}`);
}

const require = createRequire(import.meta.url);
const foreign: unknown = require('dhcp/lib/protocol.js');
if (!isForeignProtocol(foreign)) throw new Error('npm dhcp has no protocol.js with parse and format');

/** npm's parser prints a line for every option it does not know, which would be all that is measured. */
function quietly<T>(call: () => T): T {
  const { error, log } = console;
  console.error = console.log = () => {};
  try {
    return call();
  } finally {
    Object.assign(console, { error, log });
  }
}

const discoverWire = Buffer.from(encodeDhcp(discover));
const offer = buildOffer();
const offerWire = Buffer.from(encodeDhcp(offer));
const foreignDiscover = quietly(() => foreign.parse(discoverWire));
const foreignOffer = quietly(() => foreign.parse(offerWire));

console.log(
  `DHCP DISCOVER ${discoverWire.length} bytes, OFFER ${offerWire.length} bytes, relayed PXE; Node ${process.version}`,
);
console.log(
  'npm dhcp 0.2.20 drops 77, 82, 93, 94, 97, 175 and loses its place at a PAD: it does less, and not enough\n',
);
console.log(`${'ns for a packet'.padEnd(30)}${'wire:'.padStart(8)}${'npm:'.padStart(16)}`);
console.log(
  `${''.padEnd(30)}${['best', 'median', 'best', 'median', 'ratio'].map((head) => head.padStart(8)).join('')}`,
);
row(
  'decode DISCOVER',
  () => decodeDhcp(discoverWire),
  () => foreign.parse(discoverWire),
);
row('decode DISCOVER and read it', () => {
  const options = readOptions(must(decodeDhcp(discoverWire)));
  return [readMessageType, readClientArchs, readMachineUuid, readRelayAgent, readIpxeOptions].map((read) =>
    read(options),
  );
});
row(
  'decode OFFER',
  () => decodeDhcp(offerWire),
  () => foreign.parse(offerWire),
);
row(
  'encode DISCOVER',
  () => encodeDhcp(discover),
  () => foreign.format(foreignDiscover),
);
row(
  'encode OFFER',
  () => encodeDhcp(offer),
  () => foreign.format(foreignOffer),
);
row('build and encode OFFER', () => encodeDhcp(buildOffer()));
