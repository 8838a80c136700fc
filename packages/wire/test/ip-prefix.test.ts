import { BlockList, isIP, SocketAddress } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compactIpPrefixes,
  type Decoded,
  formatIpAddress,
  formatIpPrefix,
  IP_BITS,
  type IpFamily,
  type IpPrefix,
  ipPrefixAt,
  ipRangeContains,
  ipRangeCovers,
  ipRangesOverlap,
  parseInterfaceAddress,
  parseIpAddress,
  parseIpPrefix,
} from '../src/index.ts';

function valueOf<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.value;
}
const prefixes = (...texts: readonly string[]): IpPrefix[] => texts.map((text) => valueOf(parseIpPrefix(text)));

const family = fc.constantFrom<IpFamily>('ipv4', 'ipv6');
const address = family.chain((of) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(IP_BITS[of])) - 1n }).map((value) => ({ family: of, value })),
);
const placed = address.chain((of) => fc.tuple(fc.constant(of), fc.integer({ min: 0, max: IP_BITS[of.family] })));
/** Among 64 addresses at either end and in the middle of a family, so that they often touch. */
const crowded = fc
  .tuple(family, fc.constantFrom(0, 1, 2), fc.bigInt({ min: 0n, max: 63n }), fc.integer({ min: 0, max: 7 }))
  .map(([of, place, host, hostBits]) => {
    const size = 1n << BigInt(IP_BITS[of]);
    const base = [0n, size / 2n - 32n, size - 64n][place] ?? 0n;
    return ipPrefixAt({ family: of, value: base + host }, IP_BITS[of] - hostBits);
  });

describe('a prefix', () => {
  test.each(['10.0.0.0/8', '0.0.0.0/0', '192.0.2.1/32', '2001:db8::/32', '::/0', '::ffff:10.0.0.0/120'])(
    '%s is read and written',
    (text) => {
      expect(formatIpPrefix(valueOf(parseIpPrefix(text)))).toBe(text);
    },
  );

  test.each([
    '10.0.0.0/33',
    '10.0.0.0',
    'x/8',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    ' 10.0.0.0/8',
    '10.0.0/8',
    '010.0.0.0/8',
    'fe80::1%eth0/64',
    '',
  ])('%j is refused', (text) => {
    expect(parseInterfaceAddress(text)).toEqual({
      ok: false,
      offset: 0,
      reason: `${JSON.stringify(text)} is no prefix such as 10.0.0.0/8 or 2001:db8::/32`,
    });
    expect(parseIpPrefix(text).ok).toBe(false);
  });

  test.each([
    ['10.1.2.3/16', '10.1.0.0/16'],
    ['2001:db8::1/64', '2001:db8::/64'],
  ])('%s is an address of an interface, and refused as a prefix, with what to write', (text, network) => {
    expect(formatIpPrefix(valueOf(parseInterfaceAddress(text)))).toBe(network);
    expect(parseIpPrefix(text)).toMatchObject({
      ok: false,
      reason: `${text} has bits beyond its length; write ${network}`,
    });
  });

  test('comes back as it was, with the address that it was written with in it', () => {
    fc.assert(
      fc.property(placed, ([of, length]) => {
        const read = valueOf(parseInterfaceAddress(`${formatIpAddress(of)}/${length}`));
        expect(read).toEqual({ ...of, ...ipPrefixAt(of, length) });
        expect(ipRangeContains(read, of)).toBe(true);
        expect(read.last - read.first + 1n).toBe(1n << BigInt(IP_BITS[of.family] - length));
        expect(read.first % (read.last - read.first + 1n)).toBe(0n);
        const { value: _address, ...block } = read;
        expect(parseIpPrefix(formatIpPrefix(read))).toEqual({ ok: true, value: block });
      }),
    );
  });

  test('agrees with Node on what is an address, and on which addresses it has', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abf:./ '.split('')), maxLength: 20 }),
      address.map(formatIpAddress),
    );
    fc.assert(
      fc.property(text, (written) => {
        expect(parseIpAddress(written).ok).toBe(isIP(written) !== 0);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(crowded, crowded, (prefix, other) => {
        const list = new BlockList();
        list.addSubnet(formatIpAddress({ family: prefix.family, value: prefix.first }), prefix.length, prefix.family);
        for (const value of [other.first, other.last]) {
          const one = { family: other.family, value };
          const socket = new SocketAddress({ address: formatIpAddress(one), family: one.family });
          // Node takes an IPv4 address for the IPv6 address that it is mapped to.
          if (prefix.family === one.family) expect(ipRangeContains(prefix, one)).toBe(list.check(socket));
          else expect(ipRangeContains(prefix, one)).toBe(false);
        }
      }),
    );
  });

  test('overlaps with another one if either has an address of the other', () => {
    fc.assert(
      fc.property(crowded, crowded, (one, other) => {
        const [first, otherFirst] = [one, other].map(({ family: of, first: value }) => ({ family: of, value }));
        const shares =
          (first !== undefined && ipRangeContains(other, first)) ||
          (otherFirst !== undefined && ipRangeContains(one, otherFirst));
        expect(ipRangesOverlap(one, other)).toBe(shares);
        expect(ipRangeCovers(one, other) || ipRangeCovers(other, one)).toBe(shares);
      }),
    );
  });
});

describe('compacted prefixes', () => {
  test('have the same addresses, none too many, and do not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(crowded, { maxLength: 12 }), (list) => {
        const compact = compactIpPrefixes(list);
        const inAny = (all: readonly IpPrefix[], value: bigint, of: IpFamily): boolean =>
          all.some((one) => ipRangeContains(one, { family: of, value }));
        for (const { family: of, first, last } of [...list, ...compact])
          for (let value = first; value <= last; value += 1n)
            expect(inAny(compact, value, of)).toBe(inAny(list, value, of));
        for (const [index, one] of compact.entries())
          for (const other of compact.slice(index + 1)) {
            expect(ipRangesOverlap(one, other)).toBe(false);
            const whole = ipPrefixAt({ family: one.family, value: one.first }, Math.max(0, one.length - 1));
            expect(one.length === other.length && ipRangeCovers(whole, other)).toBe(false);
          }
        expect(compactIpPrefixes(list.toReversed())).toEqual(compact);
        expect(compactIpPrefixes(compact)).toEqual(compact);
      }),
    );
  });

  test('are sorted, IPv4 first', () => {
    const list = prefixes(
      '2001:db8::/33',
      '10.1.0.0/16',
      '2001:db8:8000::/33',
      '10.0.0.0/16',
      '10.0.3.0/24',
      '9.0.0.0/8',
    );
    expect(compactIpPrefixes(list).map(formatIpPrefix)).toEqual(['9.0.0.0/8', '10.0.0.0/15', '2001:db8::/32']);
  });

  test('can be everything', () => {
    expect(compactIpPrefixes(prefixes('8000::/1', '128.0.0.0/1', '::/1', '0.0.0.0/1')).map(formatIpPrefix)).toEqual([
      '0.0.0.0/0',
      '::/0',
    ]);
  });
});
