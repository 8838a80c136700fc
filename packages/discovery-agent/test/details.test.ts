import { readFileSync } from 'node:fs';
import { MockClock } from '@ingot/net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDetails } from '../src/inventory/details.ts';
import type { DetailParts } from '../src/inventory/details.ts';
import { parseIdNs, parseSmartLog } from '../src/inventory/disks/nvme-text.ts';
import { parseSmart } from '../src/inventory/disks/smart-text.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import type { Inventory } from '../src/inventory/inventory.ts';
import { parseFirmwareVersion, parsePermanentMac } from '../src/inventory/nics/ethtool-text.ts';
import { openSysfs } from '../src/sysfs.ts';
import { epyc, twoSockets } from './machines.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

const smartLog = {
  critical_warning: 0,
  temperature: 309,
  avail_spare: 100,
  spare_thresh: 10,
  percent_used: 3,
  endurance_grp_critical_warning_summary: 0,
  data_units_read: 1_234_567,
  power_on_hours: 8760,
  unsafe_shutdowns: 12,
  media_errors: 0,
};
const idNs = {
  nsze: 7_501_476_528,
  flbas: 0x21,
  lbafs: [
    { ms: 0, ds: 9, rp: 0 },
    { ms: 0, ds: 12, rp: 0 },
    { ms: 8, ds: 12, rp: 0 },
  ],
};
const ethtool = `driver: mlx5_core
version: 6.1.0
firmware-version: 16.35.2000 (MT_0000000012)
expansion-rom-version: 
bus-info: 0000:01:00.0
`;

const printed: Record<string, string> = {
  'smart-log': JSON.stringify(smartLog),
  'id-ns': JSON.stringify(idNs),
  '-i': ethtool,
  '-P': 'Permanent address: 0c:42:a1:00:00:10\n',
};

function inventoryOf(tree: Tree): Inventory {
  using machine = plant(tree);
  return takeInventory(openSysfs(machine.root));
}

const machine = inventoryOf({ ...epyc, '/sys/devices/pci0000:00/0000:01:00.0/net/eth0/addr_assign_type': '3\n' });

/** With programs that print the above, unless `run` says otherwise. */
async function details(inventory: Inventory, parts: Partial<DetailParts> = {}): Promise<Inventory> {
  const clock = new MockClock();
  let ended = false;
  const running = readDetails(inventory, {
    run: (_, args) => Promise.resolve(printed[args[0] ?? ''] ?? ''),
    clock,
    signal: new AbortController().signal,
    ...parts,
  });
  const end = (): void => void (ended = true);
  void running.then(end, end);
  await clock.advanceUntil(() => ended);
  return running;
}

test('NVMe disks get health and formats, NICs firmware and their permanent address', async () => {
  expect(machine.problems).toHaveLength(1);
  const { disks, nics, problems } = await details(machine);
  expect(disks.map(({ health }) => health)).toEqual(
    disks.map(() => ({
      ok: true,
      value: {
        warnings: [],
        percentageUsed: 3,
        availableSpare: 100,
        availableSpareThreshold: 10,
        temperatureCelsius: 36,
        powerOnHours: 8760,
        unsafeShutdowns: 12,
        mediaErrors: 0,
      },
    })),
  );
  expect(disks[0]?.lbaFormats).toEqual({
    ok: true,
    value: [
      { index: 0, dataBytes: 512, metadataBytes: 0, inUse: false },
      { index: 1, dataBytes: 4096, metadataBytes: 0, inUse: false },
      { index: 2, dataBytes: 4096, metadataBytes: 8, inUse: false },
    ],
  });
  expect(nics[0]).toMatchObject({
    mac: '0c:42:a1:00:00:10',
    macIsPermanent: true,
    firmware: '16.35.2000 (MT_0000000012)',
  });
  expect(problems).toEqual([]);
});

test('only what is there is asked, with argument arrays, four at a time', async () => {
  const calls: string[] = [];
  let running = 0;
  let most = 0;
  await details(machine, {
    run: async (file, args) => {
      calls.push([file, ...args].join(' '));
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
      return printed[args[0] ?? ''] ?? '';
    },
  });
  expect(most).toBe(4);
  expect(calls).toHaveLength(4 * 2 + 2 * 2);
  expect(calls).toContain('nvme smart-log /dev/nvme10n1 -o json');
  expect(calls).toContain('ethtool -P eth1');
});

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

test('smartctl of a SATA and of a SCSI disk of QEMU is understood', () => {
  expect(parseSmart(fixture('smartctl-sata.json'))).toEqual({
    ok: true,
    value: { passed: true, temperatureCelsius: 31, powerOnHours: 1, reallocatedSectors: 0 },
  });
  expect(parseSmart(fixture('smartctl-scsi.json'))).toEqual({ ok: true, value: { passed: true } });
});

test('wear and errors come from the fields that SATA and SAS have for them', () => {
  const wear = (flags: object): object => ({
    ata_device_statistics: { pages: [{ number: 7, table: [{ offset: 8, size: 1, value: 4, flags }] }] },
  });
  expect(parseSmart(JSON.stringify(wear({ valid: true })))).toEqual({ ok: true, value: { percentageUsed: 4 } });
  expect(parseSmart(JSON.stringify(wear({ valid: false }))).ok).toBe(false);
  const sas = {
    smart_status: { passed: false },
    scsi_percentage_used_endurance_indicator: 11,
    temperature: { current: 35, drive_trip: 74 },
    power_on_time: { hours: 3862, minutes: 30 },
    scsi_grown_defect_list: 3,
    scsi_error_counter_log: { read: { total_uncorrected_errors: 2 }, write: { total_uncorrected_errors: 1 } },
  };
  expect(parseSmart(JSON.stringify(sas))).toEqual({
    ok: true,
    value: {
      passed: false,
      temperatureCelsius: 35,
      powerOnHours: 3862,
      percentageUsed: 11,
      reallocatedSectors: 3,
      uncorrectedErrors: 3,
    },
  });
});

test('a SATA disk is asked by smartctl, whose status is no failure, and one that expects to fail is a problem', async () => {
  const sata = inventoryOf(twoSockets);
  const statuses: boolean[] = [];
  const { disks, problems } = await details(sata, {
    run: (file, args, { isAnswer }) => {
      if (file !== 'smartctl') return Promise.resolve(printed[args[0] ?? ''] ?? '');
      expect(args).toEqual(['--json=c', '-H', '-A', '-l', 'devstat', '/dev/sda']);
      for (const status of [0, 4, 8, 64, 1, 2, 6]) statuses.push(isAnswer?.(status) ?? false);
      return Promise.resolve('{"smart_status":{"passed":false}}');
    },
  });
  expect(statuses).toEqual([true, true, true, true, false, false, false]);
  expect(disks.find(({ name }) => name === '/dev/sda')?.smart).toEqual({ ok: true, value: { passed: false } });
  expect(problems).toContain('disks: /dev/sda: it expects to fail soon');
});

test('no words of smartctl make the parser throw', () => {
  const shapes = fc.oneof(fc.json(), fc.string(), fc.constant(fixture('smartctl-sata.json').slice(0, 900)));
  fc.assert(fc.property(shapes, (text) => typeof parseSmart(text).ok === 'boolean'));
  expect(parseSmart('{"smartctl":{"messages":[{"string":"Smartctl open device failed"}]}}')).toEqual({
    ok: false,
    reason: 'smartctl: Smartctl open device failed',
  });
});

test('without root the inventory stays, and says why a disk tells nothing', async () => {
  const { disks, nics, problems } = await details(machine, {
    run: (file, args) =>
      Promise.reject(new Error(file === 'nvme' ? `nvme ${args[0]}: Permission denied` : `${file} is not installed`)),
  });
  const reason = 'nvme smart-log: Permission denied';
  expect(disks[0]).toMatchObject({ health: { ok: false, reason }, lbaFormats: { ok: false, reason } });
  expect(nics).toEqual(machine.nics);
  expect(problems).toEqual([...machine.problems, 'nics: ethtool is not installed']);
});

test('a disk that hangs in the kernel is named by its deadline, and holds up no other', async () => {
  const { disks } = await details(machine, {
    run: (_, args) =>
      args[1] === '/dev/nvme1n1' ? new Promise(() => undefined) : Promise.resolve(printed[args[0] ?? ''] ?? ''),
  });
  expect(disks[1]?.health).toEqual({
    ok: false,
    reason: 'nvme smart-log /dev/nvme1n1 -o json hangs and cannot be ended',
  });
  expect(disks[2]?.health?.ok).toBe(true);
});

test('the signal ends it', async () => {
  const stopping = new AbortController();
  const running = details(machine, {
    signal: stopping.signal,
    run: (_file, _args, { signal }) => {
      stopping.abort(new Error('SIGTERM'));
      return Promise.reject(signal?.reason);
    },
  });
  await expect(running).rejects.toThrow('SIGTERM');
});

test.each([
  [0b000001, ['spare blocks run out']],
  [0b001010, ['temperature out of range', 'media is read-only']],
  [{ value: 4, reliability: 1 }, ['reliability degraded by media errors']],
])('critical warning %j', (critical_warning, warnings) => {
  expect(parseSmartLog(JSON.stringify({ ...smartLog, critical_warning }))).toMatchObject({
    ok: true,
    value: { warnings },
  });
});

test('counters of 128 bits may be text', () => {
  const power_on_hours = '340282366920938463463374607431768211455';
  expect(parseSmartLog(JSON.stringify({ ...smartLog, power_on_hours }))).toMatchObject({
    ok: true,
    value: { powerOnHours: 2 ** 128 },
  });
});

test('the format in use is found by both parts of FLBAS', () => {
  const lbafs = Array.from({ length: 20 }, () => ({ ms: 0, ds: 12, rp: 0 }));
  const inUse = (flbas: number): number[] => {
    const parsed = parseIdNs(JSON.stringify({ flbas, lbafs }));
    return parsed.ok ? parsed.value.filter((format) => format.inUse).map(({ index }) => index) : [];
  };
  expect(inUse(0x01)).toEqual([1]);
  // Bit 4 is about metadata; bits 5 and 6 carry on.
  expect(inUse(0x12)).toEqual([2]);
  expect(inUse(0x21)).toEqual([17]);
});

test.each([
  ['', 'nvme smart-log cannot be read: it is no JSON'],
  ['[]', 'nvme smart-log cannot be read: it is no object'],
  ['{"critical_warning":0}', 'nvme smart-log cannot be read: it lacks percent_used'],
  ['{"critical_warning":-1}', 'nvme smart-log cannot be read: it lacks critical_warning'],
])('%j is refused with a reason', (text, reason) => {
  expect(parseSmartLog(text)).toEqual({ ok: false, reason });
});

test('whatever nvme prints is a value, never a throw', () => {
  const value = fc.oneof(fc.jsonValue(), fc.nat(), fc.string());
  const like = (object: object): fc.Arbitrary<unknown> =>
    fc.record(Object.fromEntries(Object.keys(object).map((key) => [key, value])), { requiredKeys: [] });
  fc.assert(fc.property(fc.string(), (text) => [parseSmartLog(text), parseIdNs(text)].every(({ ok }) => !ok)));
  fc.assert(fc.property(like(smartLog), (object) => void parseSmartLog(JSON.stringify(object))));
  const lbafs = fc.array(fc.oneof(fc.jsonValue(), fc.record({ ms: value, ds: value })), { maxLength: 100 });
  fc.assert(
    fc.property(fc.record({ flbas: fc.nat(), lbafs }), (object) => {
      const parsed = parseIdNs(JSON.stringify(object));
      if (parsed.ok) for (const { dataBytes } of parsed.value) expect(dataBytes).toBeLessThanOrEqual(2 ** 24);
    }),
  );
});

test.each([
  ['Permanent address: 3C:EC:EF:00:00:01\n', '3c:ec:ef:00:00:01'],
  ['Permanent address: 00:00:00:00:00:00\n', undefined],
  ['Permanent address: ff:ff:ff:ff:ff:ff\n', undefined],
  ['Permanent address: not set\n', undefined],
  [`Permanent address: ${'80:'.repeat(19)}00\n`, undefined],
  ['Cannot read permanent address', undefined],
])('%j is the permanent address %s', (text, mac) => {
  expect(parsePermanentMac(text)).toBe(mac);
});

test('whatever ethtool prints is a value without control characters', () => {
  expect(parseFirmwareVersion('firmware-version: N/A\n')).toBe('');
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      expect(parseFirmwareVersion(`firmware-version:${text}`)).not.toMatch(/\p{Cc}/u);
      parsePermanentMac(`Permanent address: ${text}`);
    }),
  );
});
