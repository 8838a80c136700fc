import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bootFileName,
  buildDhcp,
  decodeDhcp,
  decodeLldp,
  decodeOrganization,
  decodePxeVendorOptions,
  decodeRelayAgent,
  decodeTftp,
  encodeDhcp,
  encodeLldp,
  encodeTftp,
  packetMac,
  readBootClient,
  readClasslessRoutes,
  readClientArchs,
  readClientId,
  readIpxeOptions,
  readMachineUuid,
  readMessageType,
  readNeighbour,
  readOptions,
  readPxeVendorOptions,
  readRelayAgent,
  readTftpOptions,
  readUserClass,
  readVendorInformation,
  replyLimitBytes,
  serverHostName,
  writeDhcp,
  type Decoded,
  type DhcpDraft,
} from '../src/index.ts';
import { testDamage } from './damage.ts';
import { accepted } from './helpers.ts';
import { readPcap } from './pcap.ts';

interface Codec<T> {
  readonly decode: (bytes: Uint8Array) => Decoded<T>;
  readonly encode: (value: T) => Uint8Array;
  /** Calls every reader; they must return, whatever they return. */
  readonly read: (value: T) => void;
}

/** Decoding returns a value; if it accepts, encoding gives the same bytes, and every reader returns. */
function check<T>(codec: Codec<T>, input: Uint8Array): void {
  const decoded = codec.decode(input);
  if (decoded.ok) {
    const encoded = codec.encode(decoded.value);
    if (Buffer.compare(encoded, input) !== 0) expect(encoded).toEqual(input);
    codec.read(decoded.value);
  } else {
    if (decoded.offset < 0 || decoded.offset > input.length || decoded.reason === '') expect(decoded).toBeUndefined();
  }
}

const dhcp: Codec<Parameters<typeof encodeDhcp>[0]> = {
  decode: decodeDhcp,
  encode: encodeDhcp,
  read: (packet) => {
    const options = readOptions(packet);
    for (const reader of [
      readMessageType,
      readClientArchs,
      readMachineUuid,
      readRelayAgent,
      readUserClass,
      readClientId,
      readIpxeOptions,
      readPxeVendorOptions,
      readVendorInformation,
      readClasslessRoutes,
      readBootClient,
      replyLimitBytes,
    ]) {
      reader(options);
    }
    bootFileName(packet, options);
    serverHostName(packet, options);
    packetMac(packet);
  },
};
const tftp: Codec<Parameters<typeof encodeTftp>[0]> = {
  decode: decodeTftp,
  encode: encodeTftp,
  read: (packet) => {
    if ('options' in packet) readTftpOptions(packet.options);
  },
};
const lldp: Codec<Parameters<typeof encodeLldp>[0]> = { decode: decodeLldp, encode: encodeLldp, read: readNeighbour };

/** Flipping every bit of a packet takes some thousand decodings: so many packets of a protocol are enough. */
const PACKETS_PER_PROTOCOL = 6;
const SLOW_TEST_MS = 60_000;

/** From every capture the longest packet of each protocol and speaker: the ones with most to break. */
const corpus = { dhcp: [] as Uint8Array[], tftp: [] as Uint8Array[], lldp: [] as Uint8Array[] };
const folder = new URL('goldens/', import.meta.url);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.pcap'))) {
  const longest = new Map<string, readonly [keyof typeof corpus, Uint8Array]>();
  for (const captured of readPcap(readFileSync(new URL(name, folder)))) {
    const bytes = captured.kind === 'lldp' ? captured.frame : captured.payload;
    const isDhcp = captured.kind === 'udp' && [67, 68, 4011].includes(captured.target.port);
    const isTftp = captured.kind === 'udp' && (captured.target.port === 69 || name.startsWith('tftp'));
    const protocol = captured.kind === 'lldp' ? 'lldp' : isDhcp ? 'dhcp' : isTftp ? 'tftp' : undefined;
    if (protocol === undefined || (protocol === 'tftp' && bytes.length > 100)) continue;
    const speaker = `${protocol} ${captured.kind === 'udp' ? `${captured.source.address} ${bytes[1]}` : ''}`;
    if ((longest.get(speaker)?.[1].length ?? 0) < bytes.length) longest.set(speaker, [protocol, bytes]);
  }
  for (const [protocol, bytes] of longest.values()) corpus[protocol].push(bytes);
}
for (const packets of Object.values(corpus)) packets.sort((a, b) => b.length - a.length).splice(PACKETS_PER_PROTOCOL);

describe.each([
  ['DHCP', corpus.dhcp, (bytes: Uint8Array) => check(dhcp, bytes)],
  ['TFTP', corpus.tftp, (bytes: Uint8Array) => check(tftp, bytes)],
  ['LLDP', corpus.lldp, (bytes: Uint8Array) => check(lldp, bytes)],
] as const)('%s', { timeout: SLOW_TEST_MS }, (_, packets, verify) => {
  test('a corpus of captures exists', () => expect(packets.length).toBeGreaterThan(0));
  testDamage(packets, verify);
  test('random bytes are values', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), verify), { numRuns: 1000 });
  });
});

test('random options behind a sound DHCP header are values', { timeout: SLOW_TEST_MS }, () => {
  const [header] = corpus.dhcp.map((packet) => packet.slice(0, 240));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.uint8Array({ minLength: 192, maxLength: 192 }),
      (options, names) => {
        const packet = Uint8Array.from([...header!, ...options]);
        packet.set(names, 44);
        check(dhcp, packet);
      },
    ),
    { numRuns: 2000 },
  );
});

test('random values of structured options are values', { timeout: SLOW_TEST_MS }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (data) => {
      for (const decode of [decodeRelayAgent, decodePxeVendorOptions, decodeOrganization]) {
        expect(typeof decode(data).ok).toBe('boolean');
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever is built within a limit comes back whole', { timeout: SLOW_TEST_MS }, () => {
  const option = fc.record({ code: fc.integer({ min: 1, max: 254 }), data: fc.uint8Array({ maxLength: 300 }) });
  const drafts = fc.record({
    options: fc.uniqueArray(option, { maxLength: 12, selector: ({ code }) => code }),
    maxBytes: fc.integer({ min: 300, max: 1500 }),
    file: fc.constantFrom('', 'boot.efi'),
    sname: fc.constantFrom('', 'leaf1'),
  });
  fc.assert(
    fc.property(drafts, ({ options, maxBytes, file, sname }) => {
      const draft: DhcpDraft = { op: 2, xid: 7, file, sname, options: options.filter(({ code }) => code !== 52) };
      const built = buildDhcp(draft, { maxBytes });
      if (!built.ok) return;
      const wire = encodeDhcp(built.value);
      expect(wire.length).toBeLessThanOrEqual(maxBytes);
      expect(wire.length).toBeGreaterThanOrEqual(300);
      const decoded = accepted(decodeDhcp(wire));
      expect(encodeDhcp(decoded)).toEqual(wire);
      const read = readOptions(decoded);
      for (const { code, data } of draft.options) expect(read.get(code)).toEqual(data);
    }),
    { numRuns: 1000 },
  );
});

test('writing a draft gives the bytes of building and encoding it', { timeout: SLOW_TEST_MS }, () => {
  const option = fc.record({
    code: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(52, 53, 82)),
    data: fc.uint8Array({ maxLength: 300 }),
  });
  const name = fc.oneof(
    fc.string({ maxLength: 130 }),
    fc.constantFrom('boot.efi', 'ü'),
    fc.uint8Array({ maxLength: 64 }),
  );
  const drafts = fc.record<DhcpDraft>(
    {
      op: fc.constantFrom(1, 2),
      xid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      htype: fc.integer({ min: 0, max: 255 }),
      hlen: fc.integer({ min: 0, max: 16 }),
      hops: fc.integer({ min: 0, max: 255 }),
      secs: fc.integer({ min: 0, max: 65_535 }),
      flags: fc.integer({ min: 0, max: 65_535 }),
      chaddr: fc.uint8Array({ maxLength: 16 }),
      sname: name,
      file: name,
      options: fc.array(option, { maxLength: 12 }),
    },
    { requiredKeys: ['op', 'xid', 'options'] },
  );
  const limits = fc.record({
    minBytes: fc.integer({ min: 0, max: 600 }),
    maxBytes: fc.integer({ min: 300, max: 1500 }),
  });
  const allocate = (sizeBytes: number): Uint8Array => new Uint8Array(2000).subarray(7, 7 + sizeBytes);
  fc.assert(
    fc.property(drafts, fc.option(limits, { nil: undefined }), (draft, limit) => {
      const built = buildDhcp(draft, limit);
      const expected = built.ok ? { ok: true, value: encodeDhcp(built.value) } : built;
      expect(writeDhcp(draft, limit)).toEqual(expected);
      expect(writeDhcp(draft, { ...limit, allocate })).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

test('a hardware address that is too long for a packet is a mistake of the caller', () => {
  expect(() => writeDhcp({ op: 2, xid: 1, chaddr: new Uint8Array(17), options: [] })).toThrow(RangeError);
});

test.each([
  ['overflows into sname and file', 400, true],
  ['has room nowhere', 700, false],
])('writeDhcp does as buildDhcp with what %s', (_what, length, fits) => {
  const options = [210, 211, 212].map((code) => ({ code, data: new Uint8Array(Math.floor(length / 3)) }));
  const draft = { op: 2, xid: 1, options } as const;
  const built = buildDhcp(draft, { maxBytes: 548 });
  expect(built.ok).toBe(fits);
  expect(writeDhcp(draft, { maxBytes: 548 })).toEqual(built.ok ? { ok: true, value: encodeDhcp(built.value) } : built);
});
