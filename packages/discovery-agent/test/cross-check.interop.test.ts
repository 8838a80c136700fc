import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { takeInventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { lshwOpinion, ourOpinion, systeminformationOpinion } from './support/second-opinions.ts';
import type { Opinion } from './support/second-opinions.ts';

type Value = string | number | undefined;

/** Why a program may see a fact otherwise than we do, and what must then hold. */
interface Explanation {
  readonly fact: RegExp;
  readonly why: string;
  readonly holds: (ours: Value, theirs: Value, name: string) => boolean;
}

const isVirtual = (path: string): boolean => existsSync(`/sys/devices/virtual/${path}`);
const oneWithin = (text: Value, other: Value): boolean => String(text).includes(String(other));

const ofBoth: readonly Explanation[] = [
  {
    fact: /^nic /,
    why: 'they list interfaces without hardware',
    holds: (ours, _, name) => ours === undefined && isVirtual(`net/${name.slice(4)}`),
  },
  {
    fact: /^disk /,
    why: 'they list block devices that are built upon others, in memory, removable, or empty',
    holds: (ours, theirs, name) =>
      ours === undefined && (theirs === 0 || isVirtual(`block/${name.slice(10)}`) || isRemovable(name.slice(10))),
  },
  {
    fact: /^(disk|nic|display) /,
    why: 'what they cannot tell, they leave out',
    holds: (_, theirs) => theirs === undefined,
  },
  {
    fact: /^disk /,
    why: 'they know that the disk is there, and not how large it is',
    holds: (ours, theirs) => theirs === 'present' && ours !== undefined,
  },
  {
    fact: /^(uuid|bios version|board|cores|threads|modules)$/,
    why: 'they do not say, for instance because a machine without SMBIOS has none',
    holds: (_, theirs) => theirs === undefined,
  },
];

const ofSysteminformation: readonly Explanation[] = [
  ...ofBoth,
  {
    fact: /^memory$/,
    why: 'it says MemTotal, from which the kernel has taken its own share',
    holds: (ours, theirs) => Number(theirs) < Number(ours) && Number(theirs) > Number(ours) * 0.8 - 2 ** 30,
  },
  {
    fact: /^model$/,
    why: 'it leaves the maker and the marks out of the brand',
    holds: (ours, theirs) => oneWithin(String(ours).replaceAll(/\((R|TM)\)/gi, '®'), theirs) || oneWithin(ours, theirs),
  },
  {
    fact: /^uuid$/,
    why: 'it makes one up of the network addresses where the board has none',
    holds: (ours) => ours === undefined,
  },
];

const ofLshw: readonly Explanation[] = [
  ...ofBoth,
  {
    fact: /^(sockets|cores|threads)$/,
    why: 'it counts by the SMBIOS table, in which a hypervisor describes what it likes',
    holds: () => existsSync('/sys/firmware/dmi/tables/DMI'),
  },
  {
    fact: /^(memory|model)$/,
    why: 'with SMBIOS it adds up the modules, of which the firmware keeps a part, and words the model as the firmware does',
    holds: () => existsSync('/sys/firmware/dmi/tables/DMI'),
  },
  {
    fact: /^(bios version|board)$/,
    why: 'it adds the firmware’s own build to the version, or takes the system for the board',
    holds: (ours, theirs) => oneWithin(theirs, ours) || oneWithin(ours, theirs) || ours === undefined,
  },
];

function isRemovable(name: string): boolean {
  return openSysfs('/').integer(`/sys/block/${name}/removable`) === 1;
}

function unexplained(ours: Opinion, theirs: Opinion, explanations: readonly Explanation[]): string[] {
  const facts = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return facts.flatMap((name) => {
    const mine = ours.get(name);
    const other = theirs.get(name);
    const isExplained = explanations.some(({ fact, holds }) => fact.test(name) && holds(mine, other, name));
    return mine === other || isExplained ? [] : [`${name}: we say ${mine}, it says ${other}`];
  });
}

const ours = (): Opinion => ourOpinion(takeInventory(openSysfs('/')));

test('every difference from systeminformation has its reason', async () => {
  const theirs = await systeminformationOpinion();
  expect(unexplained(ours(), theirs, ofSysteminformation)).toEqual([]);
  // The reasons must not be so wide that nothing is compared.
  expect(theirs.get('threads')).toBe(ours().get('threads'));
});

test('every difference from lshw has its reason', async () => {
  const theirs = await lshwOpinion();
  expect(unexplained(ours(), theirs, ofLshw)).toEqual([]);
  const nics = [...ours()].filter(([name]) => name.startsWith('nic '));
  expect(nics.filter(([name, mac]) => theirs.get(name) !== mac)).toEqual([]);
});

test('a difference without a reason is found', () => {
  const mine = new Map<string, string | number>([
    ...ours(),
    ['disk /dev/sdx', 1000],
    ['nic eth9', '02:00:00:00:00:01'],
  ]);
  const theirs = new Map<string, string | number>([
    ...ours(),
    ['disk /dev/sdx', 999],
    ['nic eth9', '02:00:00:00:00:02'],
  ]);
  expect(unexplained(mine, theirs, ofLshw)).toEqual([
    'disk /dev/sdx: we say 1000, it says 999',
    'nic eth9: we say 02:00:00:00:00:01, it says 02:00:00:00:00:02',
  ]);
});
