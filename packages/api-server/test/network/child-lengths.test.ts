import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { parseIpPrefix } from '@ingot/wire';
import { describe, expect, test } from 'vitest';
import { checkDistinct } from '../../src/network/network-prefixes.ts';
import { checkChildLengths } from '../../src/network/network-wish.ts';

type LengthInit = MessageInitShape<typeof apiV2.ChildPrefixLengthSchema>;

const prefixes = (...list: readonly string[]) =>
  list.map((text) => {
    const prefix = parseIpPrefix(text);
    if (!prefix.ok) throw new Error(prefix.reason);
    return prefix.value;
  });

describe('the lengths for the children of a network', () => {
  test.each<[string, readonly string[], LengthInit | undefined, LengthInit | undefined, readonly string[]]>([
    ['may be those of its only child', ['10.0.0.0/16'], { ipv4: 16 }, { ipv4: 16 }, []],
    ['may be those of single addresses', ['10.0.0.0/16', 'fd00::/48'], { ipv4: 32, ipv6: 128 }, undefined, []],
    [
      'have a default for every family',
      ['10.0.0.0/16', 'fd00::/48'],
      { ipv4: 24 },
      undefined,
      ['default_child_prefix_length.ipv6 is missing'],
    ],
    [
      'have a default beside the least',
      ['10.0.0.0/16'],
      undefined,
      { ipv4: 24 },
      ['default_child_prefix_length.ipv4 is missing'],
    ],
    [
      'are no shorter than the network',
      ['10.0.0.0/16', '10.1.0.0/17'],
      { ipv4: 15 },
      { ipv4: 15 },
      [
        'default_child_prefix_length.ipv4 is 15: no /15 fits into a /16',
        'min_child_prefix_length.ipv4 is 15: no /15 fits into a /16',
      ],
    ],
    [
      'are no longer than an address',
      ['fd00::/48'],
      { ipv6: 129 },
      undefined,
      ['default_child_prefix_length.ipv6 is 129: no /129 fits into a /48'],
    ],
    [
      'have a default no shorter than the least',
      ['10.0.0.0/16'],
      { ipv4: 23 },
      { ipv4: 24 },
      ['default_child_prefix_length.ipv4 (23) is shorter than the least (24)'],
    ],
  ])('%s', (_name, list, standard, least, expected) => {
    const problems: string[] = [];
    const lengths = (init: LengthInit | undefined) =>
      init === undefined ? undefined : create(apiV2.ChildPrefixLengthSchema, init);
    checkChildLengths(
      { defaultChildPrefixLength: lengths(standard), minChildPrefixLength: lengths(least) },
      prefixes(...list),
      problems,
    );
    expect(problems).toEqual(expected);
  });
});

test('prefixes that overlap are named two by two, each pair once', () => {
  const problems: string[] = [];
  checkDistinct(prefixes('10.0.0.0/24', '10.0.0.0/16', '10.1.0.0/16', '10.0.0.0/24'), problems);
  expect(problems).toEqual([
    'prefixes 10.0.0.0/24 and 10.0.0.0/16 overlap',
    'prefixes 10.0.0.0/24 and 10.0.0.0/24 overlap',
    'prefixes 10.0.0.0/16 and 10.0.0.0/24 overlap',
  ]);
});
