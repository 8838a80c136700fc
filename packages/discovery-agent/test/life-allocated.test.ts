import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSysfs } from '../src/sysfs.ts';
import { bootNextDisk, parseLoadOption } from '../src/local-boot/efi-boot-next.ts';
import { FakeBmc } from './fake-bmc.ts';
import { past, Rig } from './life-rig.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const timeout = 30_000;
const efivars = '/sys/firmware/efi/efivars';
const guid = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const noWipe = (): never => {
  throw new Error('an allocated machine was to be wiped');
};

function variable(...words: number[]): Buffer {
  const bytes = Buffer.alloc(4 + words.length * 2);
  bytes.writeUInt32LE(7);
  words.forEach((word, index) => bytes.writeUInt16LE(word, 4 + index * 2));
  return bytes;
}

/** A device path of nodes without content. */
function option(name: string, nodes: readonly (readonly [number, number])[], attributes = 1): Buffer {
  const path = Buffer.concat([...nodes, [0x7f, 0xff] as const].map(([type, sub]) => Buffer.from([type, sub, 4, 0])));
  const head = Buffer.alloc(6);
  head.writeUInt32LE(attributes);
  head.writeUInt16LE(path.length, 4);
  return Buffer.concat([head, Buffer.from(`${name}\0`, 'utf16le'), path]);
}

const inVariable = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([7, 0, 0, 0]), bytes]);

/** Booted by the network entry 1, which stands before an optical drive and two disks. */
const uefi: Tree = {
  [`${efivars}/BootCurrent-${guid}`]: variable(1),
  [`${efivars}/BootOrder-${guid}`]: variable(1, 2, 3, 0x1a, 4),
  [`${efivars}/Boot0001-${guid}`]: inVariable(
    option('UEFI PXEv4', [
      [2, 1],
      [1, 1],
      [3, 11],
      [3, 12],
    ]),
  ),
  [`${efivars}/Boot0002-${guid}`]: inVariable(
    option('UEFI DVD', [
      [2, 1],
      [3, 18],
      [4, 2],
    ]),
  ),
  [`${efivars}/Boot0003-${guid}`]: inVariable(
    option(
      'switched off',
      [
        [4, 1],
        [4, 4],
      ],
      0,
    ),
  ),
  [`${efivars}/Boot001A-${guid}`]: inVariable(
    option('debian', [
      [4, 1],
      [4, 4],
    ]),
  ),
  [`${efivars}/Boot0004-${guid}`]: inVariable(
    option('UEFI NVMe', [
      [2, 1],
      [1, 1],
      [3, 23],
    ]),
  ),
};

test('UEFI is told the first entry that leads to a disk', () => {
  using machine = plant(uefi);
  expect(bootNextDisk(openSysfs(machine.root))).toBe('debian');
  const written = readFileSync(join(machine.root, efivars, `BootNext-${guid}`));
  expect([...written]).toEqual([7, 0, 0, 0, 0x1a, 0]);
});

test('without an entry for a disk nothing is written', () => {
  using machine = plant({ ...uefi, [`${efivars}/BootOrder-${guid}`]: variable(1, 2, 3, 9) });
  expect(bootNextDisk(openSysfs(machine.root))).toBeUndefined();
  expect(openSysfs(machine.root).exists(`${efivars}/BootNext-${guid}`)).toBe(false);
});

test('boot entries that are cut off or changed do not make the parser throw', () => {
  const whole = option('debian', [
    [4, 1],
    [4, 4],
  ]);
  for (let length = 0; length <= whole.length; length++) parseLoadOption(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at++)
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      parseLoadOption(changed);
    }
  expect(parseLoadOption(whole)).toEqual({ name: 'debian', leadsToDisk: true });
});

test(
  'an allocated machine is sent to its disk with a word, and not touched, not even registered',
  { timeout },
  async () => {
    rig.allocate();
    await rig.start({ wipe: noWipe, tree: uefi });
    await rig.until(() => rig.reboots === 1);
    expect(rig.steps).toEqual([
      'PREPARING: starting discovery agent 0.1.0',
      'PLANNED_REBOOT: allocated: starting from its disk by the UEFI entry "debian"',
    ]);
    expect(rig.registered).toEqual([]);
  },
);

test('where UEFI has no entry for a disk the BMC is told', { timeout }, async () => {
  rig.allocate();
  const bmc = new FakeBmc();
  await rig.start({ wipe: noWipe, tree: { '/dev/ipmi0': '' }, openIpmi: () => bmc });
  await rig.until(() => rig.reboots === 1);
  expect(rig.steps.at(-1)).toBe('PLANNED_REBOOT: allocated: starting from its disk by the boot flags of the BMC');
  // Once, for UEFI, the hard disk as Supermicro calls it; and nobody's account was touched.
  expect(bmc.bootFlags.slice(0, 2)).toEqual([0xa0, 0x24]);
  expect(bmc.asked.filter((name) => /User/.test(name))).toEqual([]);
});

test('without UEFI and BMC its own boot order decides, and the event says so', { timeout }, async () => {
  rig.allocate();
  await rig.start({ wipe: noWipe });
  await rig.until(() => rig.reboots === 1);
  expect(rig.steps.at(-1)).toMatch(/^PLANNED_REBOOT: allocated: starting from its disk as the boot order .* has it/);
});

test('the reboot waits until its event is delivered', { timeout }, async () => {
  rig.allocate();
  let refused = 0;
  rig.onEvent = (event) => {
    if (event.startsWith('PLANNED_REBOOT') && refused++ < 3) throw new Error('the database is busy');
  };
  await rig.start({ wipe: noWipe, tree: uefi });
  await rig.until(() => refused === 3);
  expect(rig.reboots).toBe(0);
  await rig.until(() => rig.reboots === 1);
});

test('one that comes back by the network is held, and Crashed says where to look', { timeout }, async () => {
  rig.allocate([
    past('PREPARING', 'starting', 5_000),
    past('PXE_BOOTING', '', 30_000),
    past('PLANNED_REBOOT', 'allocated: starting from its disk by the UEFI entry "debian"', 200_000),
  ]);
  await rig.start({ wipe: noWipe, tree: uefi });
  await rig.untilEvent('ALIVE', 2);
  expect(rig.reboots).toBe(0);
  expect(rig.steps.slice(1)).toEqual([
    'CRASHED: allocated as web: sent to its disk, and came back by the network; held. Look at its boot order and its disk',
    'PREPARING: held: allocated as web',
  ]);
  rig.machine = () => ({});
  await rig.untilEvent('WAITING');
});

test.each([
  ['long ago', [past('PLANNED_REBOOT', 'allocated: starting from its disk', 3_600_000)]],
  [
    'with success',
    [past('PHONED_HOME', '', 100_000), past('PLANNED_REBOOT', 'allocated: starting from its disk', 200_000)],
  ],
])('one that was sent to its disk %s is sent there again', { timeout }, async (_when, events) => {
  rig.allocate(events);
  await rig.start({ wipe: noWipe, tree: uefi });
  await rig.until(() => rig.reboots === 1);
});

test('by policy it is held, says so, and goes on when it is freed', { timeout }, async () => {
  rig.allocate();
  await rig.start({ wipe: noWipe, config: { agent: { allocated: 'hold' } } });
  await rig.untilEvent('ALIVE: allocated: as web; its disks are left alone');
  expect(rig.said).toContain('held, as agent.allocated of the boot server says');
  rig.machine = () => ({});
  await rig.untilEvent('WAITING');
  expect([rig.reboots, rig.registered.length]).toEqual([0, 1]);
});

test('allocated while it waits, it holds for an installer, and waits again when freed', { timeout }, async () => {
  await rig.start({ wipe: noWipe });
  await rig.until(() => rig.waiting === 1);
  rig.allocate();
  await rig.until(() => rig.said.includes('allocated this agent cannot install, and holds'));
  rig.machine = () => ({});
  await rig.untilEvent('WAITING', 2);
  expect(rig.reboots).toBe(0);
});
