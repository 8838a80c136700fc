import { expect, test } from 'vitest';
import { GpuKind, isRented } from '../src/inventory/gpus.ts';
import type { Gpu } from '../src/inventory/gpus.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { files, merge } from './machines/parts.ts';
import { pciIds } from './machines/pci-ids.ts';
import { Range, pci, pciPath } from './machines/pci.ts';
import type { PciShape } from './machines/pci.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

function gpusOf(...trees: readonly Tree[]): readonly Gpu[] {
  using machine = plant(merge(files('/usr/share/misc', { 'pci.ids': pciIds }), ...trees));
  return takeInventory(openSysfs(machine.root)).gpus;
}

const at = (address: string, ids: readonly [number, number], classId: number): PciShape => ({
  path: ['pci0000:40', '0000:40:01.1', address],
  ids,
  classId: classId << 8,
});

test.each([
  ['an H100', [0x10de, 0x2330], 0x0302, 'gpu', 'NVIDIA Corporation', 'GH100 [H100 SXM5 80GB]'],
  ['an RTX 6000', [0x10de, 0x26b1], 0x0300, 'gpu', 'NVIDIA Corporation', 'AD102GL [RTX 6000 Ada Generation]'],
  [
    'an MI210',
    [0x1002, 0x740f],
    0x0380,
    'gpu',
    'Advanced Micro Devices, Inc. [AMD/ATI]',
    'Aldebaran/MI200 [Instinct MI210]',
  ],
  [
    'an MI300X',
    [0x1002, 0x74a1],
    0x1200,
    'accelerator',
    'Advanced Micro Devices, Inc. [AMD/ATI]',
    'Aqua Vanjaram [Instinct MI300X]',
  ],
  [
    'a Max 1550',
    [0x8086, 0x0bd5],
    0x0380,
    'gpu',
    'Intel Corporation',
    'Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1550]',
  ],
  ['a Gaudi2', [0x1da3, 0x1020], 0x1200, 'accelerator', 'Habana Labs Ltd.', 'Gaudi2 AI Training Accelerator'],
  ['an H200, newer than the list', [0x10de, 0x2335], 0x0302, 'gpu', 'NVIDIA Corporation', 'GH100 [H200 SXM 141GB]'],
  ['an unknown XGA card', [0xabcd, 0x0001], 0x0301, 'gpu', '0xabcd', '0x0001'],
  ['an AST2600', [0x1a03, 0x2000], 0x0300, 'management', 'ASPEED Technology, Inc.', 'ASPEED Graphics Family'],
  [
    'a G200',
    [0x102b, 0x0536],
    0x0300,
    'management',
    'Matrox Electronics Systems Ltd.',
    'Integrated Matrox G200eW3 Graphics Controller',
  ],
  ['an ES1000', [0x1002, 0x515e], 0x0300, 'management', 'Advanced Micro Devices, Inc. [AMD/ATI]', 'ES1000'],
  ['a screen of QEMU', [0x1af4, 0x1050], 0x0380, 'virtual', 'Red Hat, Inc.', 'Virtio 1.0 GPU'],
] as const)('%s is what it is, worded as in pci.ids', (_, ids, classId, kind, vendor, model) => {
  expect(gpusOf(pci(at('0000:41:00.0', ids, classId)))).toMatchObject([{ kind, vendor, model }]);
});

test('only GPUs and accelerators of their own are what a machine is rented for', () => {
  expect(Object.values(GpuKind).filter(isRented)).toEqual(['gpu', 'accelerator']);
});

test('graphics inside of a processor are told from cards', () => {
  const raphael = pci(at('0000:10:00.0', [0x1002, 0x164e], 0x0300));
  const security = pci(at('0000:10:00.2', [0x1022, 0x1649], 0x1080));
  expect(gpusOf(raphael, security)).toMatchObject([{ kind: 'integrated', model: 'Raphael' }]);
  expect(gpusOf(raphael)).toMatchObject([{ kind: 'gpu' }]);
  const intel = pci({ path: ['pci0000:00', '0000:00:02.0'], ids: [0x8086, 0x4c90], classId: 0x030000 });
  expect(gpusOf(intel)).toMatchObject([{ kind: 'integrated' }]);
});

test('a virtual function is a share of what is listed already', () => {
  const share = at('0000:41:00.4', [0x10de, 0x2330], 0x0302);
  const physical = files(`${pciPath(share)}/physfn`, { vendor: '0x10de' });
  expect(gpusOf(pci(at('0000:41:00.0', [0x10de, 0x2330], 0x0302)), pci(share), physical)).toHaveLength(1);
});

const card = at('0000:41:00.0', [0x10de, 0x26b1], 0x0300);

test.each([
  [
    'a window of 64 GiB',
    {
      ...card,
      ranges: [
        [2 ** 24, Range.plain32],
        [2 ** 36, Range.prefetchable64],
      ],
    },
    { sizeBytes: 2 ** 36, source: 'window' },
  ],
  ['a window of 256 MiB, which tells nothing', { ...card, ranges: [[2 ** 28, Range.prefetchable64]] }, undefined],
  ['a range that is not prefetchable', { ...card, ranges: [[2 ** 36, 0x140204]] }, undefined],
  [
    'a name that has it',
    { ...card, ids: [0x10de, 0x2330], ranges: [[2 ** 37, Range.prefetchable64]] },
    { sizeBytes: 80 * 2 ** 30, source: 'name' },
  ],
] as const)('its memory by %s', (_, shape, memory) => {
  expect(gpusOf(pci(shape))[0]?.memory).toEqual(memory);
});

test('its memory as the driver counts it', () => {
  const counted = files(pciPath(card), { mem_info_vram_total: 68_702_699_520 });
  expect(gpusOf(pci(card), counted)[0]?.memory).toEqual({ sizeBytes: 68_702_699_520, source: 'driver' });
});

test('its link now and at best; one that is unknown is not told', () => {
  const link = ['2.5', 8, '32.0', 16] as const;
  expect(gpusOf(pci({ ...card, link }))[0]?.link).toEqual({ speedGts: 2.5, width: 8, maxSpeedGts: 32, maxWidth: 16 });
  expect(gpusOf(pci({ ...card, link: ['Unknown', 255, 'Unknown', 255] }))[0]).not.toHaveProperty('link');
});

test('its board by name, else by number', () => {
  const h100 = at('0000:41:00.0', [0x10de, 0x2330], 0x0302);
  expect(gpusOf(pci({ ...h100, board: [0x10de, 0x16c1] }))[0]?.subsystem).toBe('H100 SXM5 80GB');
  expect(gpusOf(pci({ ...h100, board: [0x15d9, 0x1a2b] }))[0]?.subsystem).toBe('15d9:1a2b');
  expect(gpusOf(pci(h100))[0]?.subsystem).toBe('');
});
