import {
  formatIpAddress,
  formatIpPrefix,
  ipPrefixAt,
  ipRangesOverlap,
  parseIpPrefix,
  type IpPrefix,
} from '@ingot/wire';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findFreeAddress, findFreePrefix, hostRange } from '../../src/network/free-space.ts';

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}
const prefixes = (...texts: readonly string[]): IpPrefix[] => texts.map(prefix);
const free = (parents: readonly string[], used: readonly string[], length: number): string | undefined => {
  const parsed = prefixes(...parents);
  const found = findFreePrefix(parsed, prefixes(...used), parsed[0]?.family ?? 'ipv4', length);
  return found && formatIpPrefix(found);
};

describe('the hosts of a prefix', () => {
  test.each([
    ['10.0.0.0/24', '10.0.0.1', '10.0.0.254'],
    ['10.0.0.0/31', '10.0.0.0', '10.0.0.1'],
    ['10.0.0.7/32', '10.0.0.7', '10.0.0.7'],
    ['2001:db8::/64', '2001:db8::1', '2001:db8::ffff:ffff:ffff:ffff'],
  ])('%s has hosts from %s to %s', (text, first, last) => {
    const range = hostRange(prefix(text));
    expect([range.first, range.last].map((value) => formatIpAddress({ family: range.family, value }))).toEqual([
      first,
      last,
    ]);
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
    .map(([value, length]) => ipPrefixAt({ family: 'ipv4', value: 0x0a000000n + BigInt(value) }, length));

  test('is what trying every place would find', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 12 }), fc.integer({ min: 24, max: 32 }), (used, length) => {
        const parent = prefix('10.0.0.0/24');
        let expected: IpPrefix | undefined;
        for (
          let first = parent.first;
          first <= parent.last && expected === undefined;
          first += 1n << BigInt(32 - length)
        ) {
          const candidate = ipPrefixAt({ family: 'ipv4', value: first }, length);
          if (!used.some((one) => ipRangesOverlap(one, candidate))) expected = candidate;
        }
        expect(findFreePrefix([parent], used, 'ipv4', length)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the lowest free address', () => {
  const find = (texts: readonly string[], used: readonly string[]): string | undefined => {
    const parsed = prefixes(...texts);
    const values = new Set(
      prefixes(...used.map((text) => `${text}/${text.includes(':') ? 128 : 32}`)).map(({ first }) => first),
    );
    const family = parsed[0]?.family ?? 'ipv4';
    const found = findFreeAddress(parsed, (value) => values.has(value), family);
    return found === undefined ? undefined : formatIpAddress({ family, value: found });
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
