import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compactPrefixes,
  containsAddress,
  containsPrefix,
  findFreeAddress,
  findFreePrefix,
  formatAddress,
  formatPrefix,
  hostRange,
  overlap,
  parseAddress,
  parsePrefix,
  prefixAt,
  type Prefix,
} from '../../src/network/prefix.ts';

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
}
const prefixes = (...texts: readonly string[]): Prefix[] => texts.map(prefix);
const free = (parents: readonly string[], used: readonly string[], length: number): string | undefined => {
  const parsed = prefixes(...parents);
  const found = findFreePrefix(parsed, prefixes(...used), parsed[0]?.family ?? 'ipv4', length);
  return found && formatPrefix(found);
};

describe('a prefix', () => {
  test.each(['10.0.0.0/8', '0.0.0.0/0', '192.0.2.1/32', '2001:db8::/32', '::/0'])('%s is read and written', (text) => {
    expect(formatPrefix(prefix(text))).toBe(text);
  });

  test.each(['10.0.0.1/8', '10.0.0.0/33', '10.0.0.0', 'x/8', '2001:db8::1/64', '::/129', '10.0.0.0/-1', ''])(
    '%s is refused',
    (text) => {
      expect(parsePrefix(text)).toBeUndefined();
    },
  );

  test('with bits beyond its length is read leniently where that is asked for', () => {
    const lenient = parsePrefix('10.1.2.3/16', { lenient: true });
    expect(lenient && formatPrefix(lenient)).toBe('10.1.0.0/16');
  });

  test.each([
    ['10.0.0.0/24', '10.0.0.1', '10.0.0.254'],
    ['10.0.0.0/31', '10.0.0.0', '10.0.0.1'],
    ['10.0.0.7/32', '10.0.0.7', '10.0.0.7'],
    ['2001:db8::/64', '2001:db8::1', '2001:db8::ffff:ffff:ffff:ffff'],
  ])('%s has hosts from %s to %s', (text, first, last) => {
    const range = hostRange(prefix(text));
    expect([range.first, range.last].map((value) => formatAddress(range.family, value))).toEqual([first, last]);
  });
});

describe('the lowest free prefix', () => {
  test.each<[string, readonly string[], readonly string[], number, string | undefined]>([
    ['of an empty parent is its first', ['10.0.0.0/16'], [], 22, '10.0.0.0/22'],
    ['comes behind those that are used', ['10.0.0.0/16'], ['10.0.0.0/22', '10.0.4.0/22'], 22, '10.0.8.0/22'],
    ['fills a hole', ['10.0.0.0/16'], ['10.0.0.0/22', '10.0.8.0/22'], 22, '10.0.4.0/22'],
    ['is aligned behind a smaller one', ['10.0.0.0/16'], ['10.0.0.0/24'], 22, '10.0.4.0/22'],
    ['is not within a larger one', ['10.0.0.0/16'], ['10.0.0.0/17'], 24, '10.0.128.0/24'],
    ['is the parent itself', ['10.0.0.0/16'], [], 16, '10.0.0.0/16'],
    [
      'comes from the second parent when the first is full',
      ['10.0.0.0/24', '10.1.0.0/16'],
      ['10.0.0.0/24'],
      24,
      '10.1.0.0/24',
    ],
    ['is none when all is used', ['10.0.0.0/23'], ['10.0.0.0/24', '10.0.1.0/24'], 24, undefined],
    ['is none when the parent is smaller', ['10.0.0.0/24'], [], 22, undefined],
    ['works at the very end', ['255.255.255.0/24'], ['255.255.255.0/25'], 25, '255.255.255.128/25'],
    ['is none at the very end', ['255.255.255.0/24'], ['255.255.255.0/25', '255.255.255.128/25'], 25, undefined],
    ['works with IPv6', ['2001:db8::/48'], ['2001:db8::/64'], 64, '2001:db8:0:1::/64'],
  ])('%s', (_name, parents, used, length, expected) => {
    expect(free(parents, used, length)).toBe(expected);
  });

  const small = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
    .map(([value, length]) => prefixAt('ipv4', 0x0a000000n + BigInt(value), length));

  test('is what trying every place would find', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 12 }), fc.integer({ min: 24, max: 32 }), (used, length) => {
        const parent = prefix('10.0.0.0/24');
        let expected: Prefix | undefined;
        for (
          let first = parent.first;
          first <= parent.last && expected === undefined;
          first += 1n << BigInt(32 - length)
        ) {
          const candidate = prefixAt('ipv4', first, length);
          if (!used.some((one) => overlap(one, candidate))) expected = candidate;
        }
        expect(findFreePrefix([parent], used, 'ipv4', length)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('compacted prefixes have the same addresses, and none too many', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 12 }), (list) => {
        const compact = compactPrefixes(list);
        const values = Array.from({ length: 256 }, (_, index) => 0x0a000000n + BigInt(index));
        const inAny = (all: readonly Prefix[], value: bigint): boolean =>
          all.some((one) => containsAddress(one, 'ipv4', value));
        for (const value of values) expect(inAny(compact, value)).toBe(inAny(list, value));
        for (const [index, one] of compact.entries())
          for (const other of compact.slice(index + 1)) {
            expect(overlap(one, other)).toBe(false);
            const whole = prefixAt('ipv4', one.first, one.length - 1);
            const areHalves = one.length === other.length && containsPrefix(whole, other);
            expect(areHalves).toBe(false);
          }
      }),
    );
  });

  test('compacted prefixes are sorted, IPv4 first', () => {
    const list = prefixes(
      '2001:db8::/33',
      '10.1.0.0/16',
      '2001:db8:8000::/33',
      '10.0.0.0/16',
      '10.0.3.0/24',
      '9.0.0.0/8',
    );
    expect(compactPrefixes(list).map(formatPrefix)).toEqual(['9.0.0.0/8', '10.0.0.0/15', '2001:db8::/32']);
  });
});

describe('the lowest free address', () => {
  const find = (texts: readonly string[], used: readonly string[]): string | undefined => {
    const parsed = prefixes(...texts);
    const values = new Set(used.map((text) => parseAddress(text)?.value));
    const family = parsed[0]?.family ?? 'ipv4';
    const found = findFreeAddress(parsed, (value) => values.has(value), family);
    return found === undefined ? undefined : formatAddress(family, found);
  };

  test('is neither the network nor the broadcast', () => {
    expect(find(['10.0.0.0/30'], [])).toBe('10.0.0.1');
    expect(find(['10.0.0.0/30'], ['10.0.0.1', '10.0.0.2'])).toBeUndefined();
  });

  test('fills a hole, then goes on to the next prefix', () => {
    expect(find(['10.0.0.0/29', '10.1.0.0/24'], ['10.0.0.1', '10.0.0.3'])).toBe('10.0.0.2');
    expect(find(['10.0.0.0/30', '10.1.0.0/24'], ['10.0.0.1', '10.0.0.2'])).toBe('10.1.0.1');
    expect(find(['2001:db8::/64'], ['2001:db8::1'])).toBe('2001:db8::2');
  });
});
