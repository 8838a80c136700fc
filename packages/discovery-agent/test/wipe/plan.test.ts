import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NvmeSanitizeState } from '../../src/wipe/facts.ts';
import type { DiskFacts, NvmeSubsystem } from '../../src/wipe/facts.ts';
import { operatorPermit, wipeRehearsal } from '../../src/wipe/permit.ts';
import { planWipe } from '../../src/wipe/plan.ts';
import type { WipePlan } from '../../src/wipe/plan.ts';
import { ata, blockIo, disk, facts, namespace, subsystem } from './disks.ts';

function plan(disks: readonly DiskFacts[], subsystems: readonly NvmeSubsystem[] = [], devices?: string[]): WipePlan {
  return planWipe(wipeRehearsal(devices), facts(disks, subsystems), { blockIo });
}

/** Everything that would be run for a device, in order, as one line each. */
function commands(made: WipePlan, device?: string): string[] {
  return made.units
    .flatMap((unit) => [
      ...unit.together.flatMap((method) => method.commands),
      ...unit.disks
        .filter((planned) => device === undefined || planned.device === device)
        .flatMap((planned) => [...planned.preparation, ...planned.methods.flatMap((method) => method.commands)]),
    ])
    .map((argv) => argv.join(' '));
}

const names = (made: WipePlan): string[] =>
  made.units.flatMap((unit) => [
    ...unit.together.map((method) => `together ${method.name}`),
    ...unit.disks.flatMap(({ device, methods }) => methods.map((method) => `${device} ${method.name}`)),
  ]);

const format = '--lbaf=0 --pi=0 --pil=0 --ms=0 --timeout=7200000 --force';
const discard = (device: string): string => `blkdiscard --force --step=34359738368 ${device}`;
const zeroOut = (device: string): string => `blkdiscard --force --zeroout --step=1073741824 ${device}`;
const overwrite = (device: string): string => `/usr/bin/node /agent.mjs block-io ${device}`;

test('an NVMe disk is sanitized, else formatted, else discarded, else overwritten', () => {
  expect(commands(plan([namespace('/dev/nvme0n1', 1)], [subsystem()]))).toEqual([
    'nvme sanitize /dev/nvme0 --sanact=4 --ause',
    'nvme sanitize /dev/nvme0 --sanact=2 --ause',
    `nvme format /dev/nvme0 --namespace-id=1 --ses=2 ${format}`,
    `nvme format /dev/nvme0 --namespace-id=1 --ses=1 ${format}`,
    discard('/dev/nvme0n1'),
    zeroOut('/dev/nvme0n1'),
    overwrite('/dev/nvme0n1'),
  ]);
});

test('a format keeps block size and protection as they are', () => {
  const layout = { lbaFormat: 3, protection: 1, protectionFirst: true, metadataInline: true };
  const kind = { bus: 'nvme' as const, namespace: { subsystem: 'nvme-subsys0', nsid: 7, layout } };
  expect(commands(plan([namespace('/dev/nvme0n7', 7, { kind })], [subsystem({ cryptoFormat: false })]))).toContain(
    'nvme format /dev/nvme0 --namespace-id=7 --ses=1 --lbaf=3 --pi=1 --pil=1 --ms=1 --timeout=7200000 --force',
  );
});

test('a namespace that must be kept keeps its neighbours from being sanitized', () => {
  const made = plan([namespace('/dev/nvme0n1', 1), namespace('/dev/nvme0n2', 2, { readOnly: true })], [subsystem()]);
  expect(names(made)).toEqual([
    '/dev/nvme0n1 nvme-format-crypto',
    '/dev/nvme0n1 nvme-format-erase',
    '/dev/nvme0n1 discard',
    '/dev/nvme0n1 write-zeroes',
    '/dev/nvme0n1 overwrite',
  ]);
  expect(made.skipped).toEqual([{ device: '/dev/nvme0n2', reason: 'read-only' }]);
  expect(made.units[0]?.disks[0]?.hints).toEqual(['no sanitize: it would reach /dev/nvme0n2, too']);
});

test('and from a format that reaches every namespace', () => {
  const disks = [
    namespace('/dev/nvme0n1', 1),
    namespace('/dev/nvme0n2', 2, { use: { kind: 'busy', by: 'part of md0' } }),
  ];
  const made = plan(disks, [subsystem({ formatHitsAll: true })]);
  expect(names(made)).toEqual(['/dev/nvme0n1 discard', '/dev/nvme0n1 write-zeroes', '/dev/nvme0n1 overwrite']);
  expect(made.blocked).toEqual([{ device: '/dev/nvme0n2', reason: 'in use: part of md0; release it first' }]);
});

test('so does a namespace that the operator did not name', () => {
  const made = plan([namespace('/dev/nvme0n1', 1), namespace('/dev/nvme0n2', 2)], [subsystem()], ['/dev/nvme0n1']);
  expect(commands(made).filter((line) => /sanitize|n2|=2 --ses/.test(line))).toEqual([]);
  expect(made.skipped).toEqual([{ device: '/dev/nvme0n2', reason: 'not asked for' }]);
});

test('a format that reaches every namespace is done once for all of them', () => {
  const made = plan(
    [namespace('/dev/nvme0n1', 1), namespace('/dev/nvme0n2', 2)],
    [subsystem({ formatHitsAll: true, sanitizeCrypto: false, sanitizeBlock: false })],
  );
  expect(names(made).slice(0, 4)).toEqual([
    'together nvme-format-crypto',
    'together nvme-format-erase',
    '/dev/nvme0n1 discard',
    '/dev/nvme0n1 write-zeroes',
  ]);
});

test('a sanitize that runs is waited for, one that failed and cannot be repeated blocks', () => {
  const running = plan([namespace('/dev/nvme0n1', 1)], [subsystem({ sanitizeState: NvmeSanitizeState.InProgress })]);
  expect(running.units[0]?.awaitFirst).toBe('nvme-sanitize');
  const failed = subsystem({ sanitizeState: NvmeSanitizeState.Failed });
  expect(names(plan([namespace('/dev/nvme0n1', 1)], [failed]))[0]).toBe('together nvme-sanitize-crypto');
  const kept = plan([namespace('/dev/nvme0n1', 1), namespace('/dev/nvme0n2', 2, { readOnly: true })], [failed]);
  expect(kept.units).toEqual([]);
  expect(kept.blocked[0]?.reason).toMatch(/only another one makes it usable again, which would reach \/dev\/nvme0n2/);
  const hopeless = subsystem({ ...failed, sanitizeCrypto: false, sanitizeBlock: false });
  expect(plan([namespace('/dev/nvme0n1', 1)], [hopeless]).blocked[0]?.reason).toMatch(/replace it/);
});

test('a SATA disk sanitizes itself, else erases itself with a password that goes away again', () => {
  expect(commands(plan([ata('/dev/sda', {}, { crypto: true, block: true, overwrite: true })]))).toEqual([
    'hdparm --yes-i-know-what-i-am-doing --sanitize-crypto-scramble /dev/sda',
    'hdparm --yes-i-know-what-i-am-doing --sanitize-block-erase /dev/sda',
    'hdparm --user-master u --security-set-pass ingot-wipe /dev/sda',
    'hdparm --user-master u --security-erase-enhanced ingot-wipe /dev/sda',
    'hdparm --user-master u --security-set-pass ingot-wipe /dev/sda',
    'hdparm --user-master u --security-erase ingot-wipe /dev/sda',
    discard('/dev/sda'),
    overwrite('/dev/sda'),
  ]);
  const [unit] = plan([ata('/dev/sda')]).units;
  expect(unit?.disks[0]?.methods[0]?.undo).toEqual([
    ['hdparm', '--user-master', 'u', '--security-disable', 'ingot-wipe', '/dev/sda'],
  ]);
});

test('a rotating SATA disk that can overwrite itself does, and is never merely discarded', () => {
  const rotating = ata('/dev/sda', { supported: false }, { overwrite: true }, { rotational: true, writeZeroes: true });
  expect(commands(plan([rotating]))).toEqual([
    'hdparm --yes-i-know-what-i-am-doing --sanitize-overwrite-passes 1 --sanitize-overwrite hex:00000000 /dev/sda',
    overwrite('/dev/sda'),
  ]);
});

test('frozen security falls to the next method and says how to thaw it', () => {
  const [unit] = plan([ata('/dev/sda', { frozen: true })]).units;
  expect(unit?.disks[0]?.methods.map(({ name }) => name)).toEqual(['discard', 'overwrite']);
  expect(unit?.disks[0]?.hints).toEqual([expect.stringMatching(/ATA security is frozen.*plug it in again.*suspend/)]);
});

test('a password that an erase left is taken away first', () => {
  const [locked] = plan([ata('/dev/sda', { enabled: true, locked: true })]).units;
  expect(locked?.disks[0]?.preparation.map((argv) => argv[3])).toEqual(['--security-unlock', '--security-disable']);
  const [open] = plan([ata('/dev/sda', { enabled: true })]).units;
  expect(open?.disks[0]?.preparation.map((argv) => argv[3])).toEqual(['--security-disable']);
  const frozen = plan([ata('/dev/sda', { enabled: true, frozen: true })]);
  expect(frozen.blocked[0]?.reason).toMatch(/frozen with a password set; cut its power, then: hdparm .*ingot-wipe/);
});

test('what a host protected area hides is erased by the disk itself, or not at all', () => {
  const able = plan([ata('/dev/sda', {}, {}, {}, 2048)]);
  expect(names(able)).toEqual(['/dev/sda ata-secure-erase-enhanced', '/dev/sda ata-secure-erase']);
  const frozen = plan([ata('/dev/sda', { frozen: true }, {}, {}, 2048)]);
  expect(frozen.units).toEqual([]);
  expect(frozen.blocked[0]?.reason).toMatch(/hides 2048 sectors, and the disk cannot erase itself; give them back/);
});

test('a SAS disk is sanitized by what it says it can', () => {
  const kind = { bus: 'scsi' as const, sanitize: { crypto: true, block: true, overwrite: true } };
  expect(commands(plan([disk('/dev/sdb', { kind, rotational: true })]))).toEqual([
    'sg_sanitize --crypto --ause --quick /dev/sdb',
    'sg_sanitize --block --ause --quick /dev/sdb',
    'sg_sanitize --overwrite --zero --ause --quick /dev/sdb',
    overwrite('/dev/sdb'),
  ]);
});

test('a RAID volume is only overwritten, whatever else it offers', () => {
  const kind = { bus: 'scsi' as const, sanitize: { crypto: true, block: true, overwrite: true } };
  const volume = disk('/dev/sdc', { kind, raidVolume: true, discardZeroes: true, writeZeroes: true });
  expect(commands(plan([volume]))).toEqual([overwrite('/dev/sdc')]);
});

test('a discard without a promise of zeroes does not count', () => {
  expect(names(plan([disk('/dev/vda', { writeZeroes: true })]))).toEqual([
    '/dev/vda write-zeroes',
    '/dev/vda overwrite',
  ]);
});

test.each<[string, Partial<DiskFacts>, RegExp]>([
  ['without a medium', { sizeBytes: 0 }, /size is zero/],
  ['removable', { removable: true }, /removable/],
  ['of another machine', { remote: true }, /another machine/],
  ['read-only', { readOnly: true }, /read-only/],
  [
    'that the system runs from',
    { use: { kind: 'boot', by: 'mounted on /' } },
    /running system is on it: mounted on \//,
  ],
])('a disk %s is skipped', (_, change, reason) => {
  const made = plan([ata('/dev/sda', {}, {}, change)]);
  expect(made.units).toEqual([]);
  expect(made.skipped).toEqual([{ device: '/dev/sda', reason: expect.stringMatching(reason) }]);
});

test('hours are estimated for what takes hours', () => {
  const made = plan([disk('/dev/sda', { rotational: true, sizeBytes: 20e12 })]);
  expect(made.units[0]?.disks[0]?.estimateSeconds).toBe(Math.ceil(20e12 / 120e6));
});

const anyUse = fc.constantFrom(
  { kind: 'free' as const },
  { kind: 'boot' as const, by: 'mounted on /' },
  { kind: 'busy' as const, by: 'swap' },
);

const anyKind = fc.constantFrom(ata('/dev/x').kind, disk('/dev/x').kind, {
  bus: 'scsi' as const,
  sanitize: { crypto: true, block: true, overwrite: true },
});

const anyDevice = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('/dev/sda', '/dev/sdb', '/dev/cciss/c0d0', '/dev/nvme0n1', '/dev/nvme0n2') },
  fc.string().map((text) => `/dev/${text}`),
);

const anyDisk = fc
  .tuple(
    anyDevice,
    fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    fc.record({
      sizeBytes: fc.constantFrom(0, 4096, 2 ** 30, 2 ** 45),
      rotational: fc.boolean(),
      readOnly: fc.boolean(),
      removable: fc.boolean(),
      remote: fc.boolean(),
      use: anyUse,
      raidVolume: fc.boolean(),
      discardZeroes: fc.boolean(),
      writeZeroes: fc.boolean(),
    }),
    anyKind,
  )
  .map(([device, nsid, change, kind]) =>
    nsid === undefined ? disk(device, { ...change, kind }) : namespace(device, nsid, change),
  );

const anySubsystem = fc
  .record({
    sanitizeCrypto: fc.boolean(),
    sanitizeBlock: fc.boolean(),
    format: fc.boolean(),
    formatHitsAll: fc.boolean(),
    cryptoFormat: fc.boolean(),
    sanitizeState: fc.constantFrom(...Object.values(NvmeSanitizeState)),
  })
  .map(subsystem);

const machines = fc.tuple(
  fc.uniqueArray(anyDisk, { maxLength: 6, selector: ({ device }) => device }),
  anySubsystem,
  fc.boolean(),
);

test('nothing planned ever names or reaches a disk that is to be spared', () => {
  fc.assert(
    fc.property(machines, ([disks, controller, namedOnly]) => {
      const devices = namedOnly ? ['/dev/sda', '/dev/nvme0n1'] : undefined;
      const permission = devices === undefined ? wipeRehearsal() : operatorPermit(devices, devices, 0);
      const made = planWipe(permission, facts(disks, [controller]), { blockIo });
      const spared = new Set([...made.skipped, ...made.blocked].map(({ device }) => device));
      for (const { device, readOnly, removable, remote, use, sizeBytes } of disks) {
        if (readOnly || removable || remote || use.kind !== 'free' || sizeBytes === 0) expect(spared).toContain(device);
        if (devices !== undefined && !devices.includes(device)) expect(spared).toContain(device);
      }
      const words = made.units.flatMap((unit) => [
        ...unit.together.flatMap(({ commands: argvs, undo }) => [...argvs, ...undo]),
        ...unit.disks.flatMap(({ preparation, methods }) => [
          ...preparation,
          ...methods.flatMap(({ commands: argvs, undo }) => [...argvs, ...undo]),
        ]),
      ]);
      for (const argv of words) {
        for (const word of argv) expect(word).toMatch(/^[A-Za-z0-9/=_.:-]+$/);
        expect(argv.some((word) => spared.has(word))).toBe(false);
      }
      const keptNamespace = disks.some(({ device, kind }) => kind.bus === 'nvme' && spared.has(device));
      const wide = words.filter((argv) => argv[1] === 'sanitize' && !argv.includes('--sanact=1'));
      if (keptNamespace) expect(wide).toEqual([]);
      if (keptNamespace && controller.formatHitsAll) expect(words.filter((argv) => argv[1] === 'format')).toEqual([]);
      // Every disk is accounted for exactly once.
      const planned = made.units.flatMap((unit) => unit.disks.map(({ device }) => device));
      expect([...planned, ...spared].sort()).toEqual(disks.map(({ device }) => device).sort());
    }),
  );
});

test('equal facts give equal plans', () => {
  fc.assert(
    fc.property(machines, ([disks, controller]) => {
      const made = (): unknown => plan(disks, [controller]).units;
      expect(made()).toEqual(made());
    }),
    { numRuns: 20 },
  );
});
