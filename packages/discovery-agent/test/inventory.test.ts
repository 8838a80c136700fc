import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { takeInventory } from '../src/inventory/inventory.ts';
import { machineUuid } from '../src/inventory/firmware.ts';
import { dimmsOf } from '../src/inventory/dimms.ts';
import { parseSmbios } from '../src/inventory/smbios.ts';
import { inventoryTags } from '../src/inventory-tags.ts';
import { openSysfs } from '../src/sysfs.ts';
import { epyc, twoSockets, uuid } from './machines.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

function inventoryOf(tree: Tree): ReturnType<typeof takeInventory> {
  using machine = plant(tree);
  return takeInventory(openSysfs(machine.root));
}

test('an EPYC with GPUs and NVMe is read in full', () => {
  const inventory = inventoryOf(epyc);
  expect(inventory.problems).toEqual([]);
  expect(inventory.cpus).toEqual([
    expect.objectContaining({
      socket: 0,
      vendor: 'AuthenticAMD',
      model: 'AMD EPYC 9354P 32-Core Processor',
      cores: 32,
      threads: 64,
    }),
  ]);
  expect(inventory.memory).toMatchObject({ sizeBytes: 384 * 2 ** 30, source: 'blocks' });
  expect(inventory.firmware).toMatchObject({
    uuid,
    bootMode: 'uefi',
    bios: { vendor: 'American Megatrends International, LLC.', version: '1.6', date: '12/20/2023' },
  });
  expect(inventory.gpus.map(({ kind, vendor, model }) => [kind, vendor, model])).toEqual([
    ['gpu', 'NVIDIA Corporation', 'GH100 [H100 SXM5 80GB]'],
    ['gpu', 'NVIDIA Corporation', 'GH100 [H100 SXM5 80GB]'],
    ['management', 'ASPEED Technology, Inc.', 'ASPEED Graphics Family'],
  ]);
  expect(inventory.nics).toMatchObject([
    {
      name: 'eth0',
      mac: '0c:42:a1:00:00:10',
      macIsPermanent: true,
      driver: 'mlx5_core',
      vendor: 'Mellanox Technologies',
      model: 'MT27800 Family [ConnectX-5]',
      speedBitsPerSecond: 100_000_000_000,
      carrier: true,
    },
    expect.objectContaining({ name: 'eth1', speedBitsPerSecond: 0, carrier: false }),
  ]);
});

test('disks come in natural order, with serials, and without anything that is no disk', () => {
  const { disks } = inventoryOf(epyc);
  expect(disks.map((disk) => disk.name)).toEqual([0, 1, 2, 10].map((number) => `/dev/nvme${number}n1`));
  expect(disks[3]).toMatchObject({
    name: '/dev/nvme10n1',
    sizeBytes: 3_840_755_982_336,
    model: 'SAMSUNG MZQL23T8HCLS-00A07',
    serial: 'S64HNE0T100010',
    firmware: 'GDC5602Q',
    wwn: 'eui.002538580000000a',
    rotational: false,
    readOnly: false,
    transport: 'nvme',
  });
});

test('two sockets are two CPUs, and a SATA serial comes from the vital product data', () => {
  const inventory = inventoryOf(twoSockets);
  expect(inventory.cpus.map(({ cores, threads }) => [cores, threads])).toEqual([
    [20, 40],
    [20, 40],
  ]);
  expect(inventory.memory).toMatchObject({ sizeBytes: 394_867_456 * 1024, source: 'meminfo' });
  expect(inventory.disks).toMatchObject([{ name: '/dev/sda', serial: 'PHYF123400AB960CGN', firmware: '0132' }]);
  expect(inventory.nics).toMatchObject([{ name: 'eth0', driver: 'i40e' }]);
  expect(inventory.firmware.uuid).toBe(uuid);
});

test('an empty root gives an empty inventory that says what is missing', () => {
  const inventory = inventoryOf({});
  expect(inventory.cpus).toEqual([]);
  expect(inventory.problems).toEqual([
    'firmware: no usable UUID in /sys/class/dmi/id/product_uuid or product_serial',
    'cpus: none found in /sys/devices/system/cpu or /proc/cpuinfo',
    'memory: neither memory blocks nor /proc/meminfo',
  ]);
});

test('an offline processor is no thread', () => {
  const { cpus } = inventoryOf({ ...epyc, '/sys/devices/system/cpu/cpu63/online': '0\n' });
  expect(cpus[0]).toMatchObject({ cores: 32, threads: 63 });
});

test.each([
  ['an unprogrammed product UUID', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ABC', undefined],
  ['a product serial that is a UUID', '', uuid.toUpperCase(), uuid],
  ['both, where the product UUID wins', uuid, '11111111-2222-3333-4444-555555555555', uuid],
])('the machine UUID of %s', (_, productUuid, productSerial, expected) => {
  expect(machineUuid(productUuid, productSerial)).toBe(expected);
});

test('tags carry each disk with model, serial, firmware and size', () => {
  expect(inventoryTags(inventoryOf(epyc))).toEqual([
    'ingot.inventory.system=Supermicro;AS-1115HS-TNR;S432871X1A11234',
    'ingot.inventory.boot=uefi',
    'ingot.inventory.secure-boot=on',
    'ingot.inventory.gpu/0000:41:00.0=gpu;GH100 [H100 SXM5 80GB];;85899345920;',
    'ingot.inventory.gpu/0000:c1:00.0=gpu;GH100 [H100 SXM5 80GB];;85899345920;',
    'ingot.inventory.gpu/0000:c3:00.0=management;ASPEED Graphics Family;;;',
    ...[0, 1, 2, 10].map(
      (number) =>
        `ingot.inventory.disk/nvme${number}n1=SAMSUNG MZQL23T8HCLS-00A07;S64HNE0T1000${number};GDC5602Q;3840755982336`,
    ),
  ]);
});

test('a serial cannot forge a field or a tag', () => {
  const tree = { ...twoSockets, '/sys/block/sda/device/model': 'a;b=c\n', '/sys/block/sda/serial': 'x\ny' };
  const tags = inventoryTags(inventoryOf(tree)).filter((tag) => tag.startsWith('ingot.inventory.disk/'));
  expect(tags).toEqual(['ingot.inventory.disk/sda=a b c;x y;0132;960197124096']);
});

/** Type 17, version 2.8 length: locator and bank are strings 1 and 2, maker 3, serial 4, part 5. */
function memoryDevice(size: number, extendedMebibytes: number): Uint8Array {
  const data = Buffer.alloc(0x28);
  data.set([17, 0x28, 0x11, 0]);
  data.writeUInt16LE(size, 0x0c);
  data.set([1, 2], 0x10);
  data.writeUInt16LE(4800, 0x15);
  data.set([3, 4], 0x17);
  data[0x1a] = 5;
  data.writeUInt32LE(extendedMebibytes, 0x1c);
  return Buffer.concat([data, Buffer.from('DIMM_A1\0BANK 0\0Samsung\0S123\0M321R8GA0BB0\0\0')]);
}
const end = Buffer.from([127, 4, 0xfe, 0xfe, 0, 0]);

test('memory modules are read from the SMBIOS table, large ones and empty slots included', () => {
  const table = Buffer.concat([memoryDevice(0x7fff, 65_536), memoryDevice(0, 0), memoryDevice(16_384, 0), end]);
  const { dimms, slots } = dimmsOf(parseSmbios(table));
  expect(slots).toBe(3);
  expect(dimms.map((dimm) => dimm.sizeBytes)).toEqual([64 * 2 ** 30, 16 * 2 ** 30]);
  expect(dimms[0]).toMatchObject({
    locator: 'DIMM_A1',
    bank: 'BANK 0',
    manufacturer: 'Samsung',
    serial: 'S123',
    partNumber: 'M321R8GA0BB0',
    speedMts: 4800,
  });
});

test('a cut SMBIOS table gives the structures before the cut', () => {
  const table = Buffer.concat([memoryDevice(16_384, 0), memoryDevice(16_384, 0), end]);
  for (let length = 0; length < table.length; length++)
    expect(dimmsOf(parseSmbios(table.subarray(0, length))).slots).toBeLessThanOrEqual(2);
  expect(dimmsOf(parseSmbios(table.subarray(0, table.length / 2 + 20))).dimms).toHaveLength(1);
});

test('no bytes make the SMBIOS reader throw or run for ever', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => void dimmsOf(parseSmbios(bytes))));
});
