import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOutPorts } from '../../src/platform/platform.ts';
import { cagesOf } from '../../src/port-names/cages.ts';
import {
  translateByLanes,
  translateOnSwitch,
  type PortNaming,
  type Translated,
} from '../../src/port-names/translate.ts';
import { testSwitch, testSwitches } from '../platforms/platforms.ts';

const namesOf = (translated: Translated): readonly string[] => {
  if (!translated.ok) throw new Error(translated.problems.join('\n'));
  return translated.names;
};
const cagesOn = (name: string, breakouts: Readonly<Record<string, string>>) => {
  const { layout, problems } = layOutPorts(testSwitch(name).target.platform, new Map(Object.entries(breakouts)));
  expect(problems).toEqual([]);
  return cagesOf(layout.ports.values());
};

describe('without knowing the switch', () => {
  test.each<[PortNaming, number, string, string]>([
    ['sonic', 4, 'swp1s0 swp2s0 swp2s1 swp2s2', 'Ethernet0 Ethernet4 Ethernet5 Ethernet6'],
    ['cumulus', 4, 'Ethernet0 Ethernet4 Ethernet8 Ethernet9', 'swp1 swp2 swp3s0 swp3s1'],
    ['cumulus', 4, 'Ethernet9', 'swp3s1'],
    ['sonic', 8, 'swp1 swp2s7', 'Ethernet0 Ethernet15'],
    ['cumulus', 1, 'Ethernet0 Ethernet47', 'swp1 swp48'],
    ['sonic', 4, 'Ethernet4 swp1', 'Ethernet4 Ethernet0'],
  ])('to %s with cages of %i lanes: %s is %s', (to, lanes, from, expected) => {
    expect(namesOf(translateByLanes(from.split(' '), to, lanes))).toEqual(expected.split(' '));
  });

  test('comes back to where it was', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1023), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(1, 2, 4, 8, 16),
        (numbers, lanes) => {
          const names = numbers.map((number) => `Ethernet${number}`);
          const there = namesOf(translateByLanes(names, 'cumulus', lanes));
          expect(namesOf(translateByLanes(there, 'sonic', lanes))).toEqual(names);
        },
      ),
    );
  });

  test.each([
    ['swp1s7', 'swp1s7 has no lane 7: cages are taken to have 4'],
    ['swp0', '"swp0" is no port name'],
    ['eth-1', '"eth-1" is no port name'],
    ['Ethernet-4', '"Ethernet-4" is no port name'],
    ['Ethernet04', '"Ethernet04" is no port name'],
    ['swp1s', '"swp1s" is no port name'],
  ])('says what is wrong with %s', (name, words) => {
    expect(translateByLanes([name], 'sonic', 4)).toEqual({ ok: false, problems: [expect.stringContaining(words)] });
  });

  test('says when two names become one', () => {
    expect(translateByLanes(['swp1', 'swp1s0'], 'sonic', 4)).toEqual({
      ok: false,
      problems: ['swp1s0 and swp1 are both Ethernet0'],
    });
  });
});

describe('on a known switch', () => {
  test('counts ports, not lanes, in cages of eight', () => {
    const cages = cagesOn('ds5000', {
      Ethernet0: '2x400G[200G,100G]',
      Ethernet8: '8x100G[50G,25G,10G]',
      Ethernet16: '4x100G(4)+1x400G(4)',
    });
    expect(
      namesOf(translateOnSwitch(['swp1s0', 'swp1s1', 'swp2s7', 'swp3s4', 'swp4', 'swp66'], 'sonic', cages)),
    ).toEqual(['Ethernet0', 'Ethernet4', 'Ethernet15', 'Ethernet20', 'Ethernet24', 'Ethernet513']);
    expect(namesOf(translateOnSwitch(['Ethernet4', 'Ethernet24'], 'cumulus', cages))).toEqual(['swp1s1', 'swp4']);
  });

  test('knows single-lane cages beside others', () => {
    const cages = cagesOn('as4630', { Ethernet52: '4x25G[10G]' });
    expect(namesOf(translateOnSwitch(['Ethernet47', 'Ethernet53', 'Ethernet56'], 'cumulus', cages))).toEqual([
      'swp48',
      'swp53s1',
      'swp54',
    ]);
  });

  test('says which ports a cage has', () => {
    const cages = cagesOn('as7726', { Ethernet0: '2x50G' });
    expect(translateOnSwitch(['swp1', 'swp99', 'Ethernet1'], 'sonic', cages)).toMatchObject({
      ok: false,
      problems: ['swp1 is no port of this switch, whose cage 1 has swp1s0, swp1s1', 'swp99 is no port of this switch'],
    });
    expect(translateOnSwitch(['Ethernet1'], 'cumulus', cages)).toMatchObject({ ok: false });
  });

  test('counts from 1 where the index counts from 0', () => {
    const cages = cagesOf([
      { name: 'Ethernet0', index: '0' },
      { name: 'Ethernet4', index: '1' },
    ]);
    expect(namesOf(translateOnSwitch(['Ethernet0', 'Ethernet4'], 'cumulus', cages))).toEqual(['swp1', 'swp2']);
  });

  test.each([...testSwitches.keys()])('is one to one on %s', (name) => {
    const { layout } = layOutPorts(testSwitch(name).target.platform, new Map());
    const cages = cagesOf(layout.ports.values());
    const ports = [...layout.ports.keys()];
    const there = namesOf(translateOnSwitch(ports, 'cumulus', cages));
    expect(new Set(there).size).toBe(ports.length);
    expect(namesOf(translateOnSwitch(there, 'sonic', cages))).toEqual(ports);
  });
});
