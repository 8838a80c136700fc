import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiV2 } from '@ingot/api';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { espImage } from '../support/esp.ts';
import { bigMachine, built, isPlanted, plantLargeDisks, plantSmallDisks, startTpm } from './hardware-machine.ts';
import type { SmallDisks } from './hardware-machine.ts';
import { root } from '../support/image.ts';
import { createRack, leftovers, machineInApi, onlyMachine } from './rack-under-test.ts';
import type { RackUnderTest } from './rack-under-test.ts';
import { allocate } from './tenant.ts';
import { plantedSectors, scratchDirectory } from './wipe-machine.ts';

const rackName = 'e2ehw';
const bootTimeoutMs = 280_000;
const mebibyte = 2n ** 20n;
const { WAITING, PLANNED_REBOOT } = apiV2.MachineProvisioningEventType;

// The tests of this group go on with one machine, each where the one before left it: waiting.
describe('a UEFI machine with two sockets, GPUs, a TPM, four kinds of network cards and every kind of disk', () => {
  const resources = new AsyncDisposableStack();
  let rig: RackUnderTest;
  let disks: SmallDisks;
  let waits = false;
  beforeAll(async () => {
    const directory = resources.use(scratchDirectory());
    disks = plantSmallDisks(directory.path);
    const tpm = resources.use(await startTpm(directory.path));
    rig = resources.use(await createRack(rackName, { machine: bigMachine(disks, tpm.socket) }));
  });
  afterAll(async () => {
    await resources.disposeAsync();
    expect(leftovers(rackName)).toEqual([]);
  });

  const known = (): Promise<apiV2.Machine> => machineInApi(rig, onlyMachine(rig).identity.uuid);

  test('boots through EDK2 PXE, TFTP, iPXE and HTTP into Waiting, and the API knows what QEMU was given', async () => {
    const machine = onlyMachine(rig);
    const { identity } = machine;
    await machine.power.on();
    expect(await rig.rack.untilWaiting(machine, bootTimeoutMs, new AbortController().signal)).toBeUndefined();
    waits = true;
    expect(machine.timeline.reachedMs.has('tftp')).toBe(true);

    const { hardware, meta, rack } = await known();
    expect(rack).toBe('rack1');
    const processor = { vendor: 'GenuineIntel', model: built.processor, cores: 1, threads: 1 };
    expect(hardware?.cpus).toMatchObject([processor, processor]);
    expect(hardware?.memory).toBe(1024n * mebibyte);
    expect(hardware?.gpus).toMatchObject([
      { vendor: 'NVIDIA Corporation', model: 'GH100 [H100 SXM5 80GB]' },
      { vendor: 'Advanced Micro Devices, Inc. [AMD/ATI]', model: 'Aqua Vanjaram [Instinct MI300X]' },
    ]);
    expect(new Map(hardware?.nics.map(({ mac, vendor, model }) => [mac, [vendor, model]]))).toEqual(
      new Map([
        [identity.nics[0].mac, ['Red Hat, Inc.', 'Virtio network device']],
        [identity.nics[1].mac, ['Intel Corporation', '82574L Gigabit Network Connection']],
        [built.macs[0], ['VMware', 'VMXNET3 Ethernet Controller']],
        [built.macs[1], ['Intel Corporation', '82545EM Gigabit Ethernet Controller (Copper)']],
      ]),
    );
    for (const nic of identity.nics)
      expect(
        hardware?.nics.find(({ mac }) => mac === nic.mac)?.neighbors.map(({ hostname }) => hostname),
        nic.mac,
      ).toEqual([nic.leaf]);

    const sizes = (all: readonly bigint[]): readonly number[] => all.map(Number).toSorted((one, two) => one - two);
    expect(sizes(hardware?.disks.map(({ size }) => size) ?? [])).toEqual(
      sizes([
        ...identity.disks.map(({ sizeBytes }) => BigInt(sizeBytes)),
        ...[32n, 16n, 48n, 64n, 24n, 8n].map((size) => size * mebibyte),
      ]),
    );
    const labels = meta?.labels?.labels ?? {};
    const valuesOf = (part: string): readonly string[] =>
      Object.entries(labels)
        .filter(([key]) => key.startsWith(`ingot.inventory.${part}`))
        .toSorted(([one], [two]) => (one < two ? -1 : 1))
        .map(([, value]) => value);
    const told = valuesOf('disk/');
    for (const { serial } of [...identity.disks, built.nvme, built.sata, built.virtio, built.readOnly])
      expect(
        told.some((value) => value.includes(`;${serial};`)),
        serial,
      ).toBe(true);
    expect(told).toContain(`${built.sata.model};${built.sata.serial};${built.sata.firmware};${64n * mebibyte}`);
    expect(valuesOf('system')).toEqual([`QEMU;Ingot Lab Machine;${identity.systemSerial}`]);
    expect(valuesOf('board')).toEqual([`QEMU;Ingot Lab Board;${identity.boardSerial}`]);
    expect(valuesOf('chassis')).toEqual([expect.stringContaining(built.chassisSerial)]);
    expect(valuesOf('boot')).toEqual(['uefi']);
    expect(valuesOf('tpm/tpm0')).toEqual([expect.stringMatching(/^2\.0;/)]);
    expect(valuesOf('dimm/')).toEqual([
      `${built.dimm.part};${built.dimm.serial};${built.dimm.manufacturer};${1024n * mebibyte}`,
    ]);
    expect(valuesOf('numa/')).toEqual([`0;${512n * mebibyte}`, `1;${512n * mebibyte}`]);
    expect(valuesOf('gpu/')).toEqual([
      `gpu;GH100 [H100 SXM5 80GB];10de:16c1;${80 * 2 ** 30};0`,
      `accelerator;Aqua Vanjaram [Instinct MI300X];1002:74a1;${512n * mebibyte};1`,
    ]);
    const bmc = await rig.rack.api.bmc(identity.uuid);
    expect(bmc).toMatchObject({ address: `${identity.bmc.address}:623`, mac: identity.bmc.mac, version: '1.74' });
  });

  test('while it waits it is ordered to erase its disks, does so, and waits again', async () => {
    expect(waits).toBe(true);
    const machine = onlyMachine(rig);
    const { identity } = machine;
    const large = plantLargeDisks(machine);
    const { apiUrl, caFile, adminTokenFile } = rig.rack;
    const api = ['--api-url', apiUrl, '--api-ca-file', caFile, '--api-token-file', adminTokenFile];
    const ingot = ['--disable-warning=ExperimentalWarning', join(root, 'packages/cli/src/main.ts')];
    const ordered = await execa(process.execPath, [...ingot, 'machine', 'wipe', identity.uuid, ...api]);
    expect(ordered.stdout).toMatch(/^ordered: \S+$/);
    const isDone = async (): Promise<boolean> => {
      const { meta, recentProvisioningEvents } = await known();
      const isOpen = meta?.labels?.labels['ingot.dev/wipe'] !== undefined;
      return !isOpen && recentProvisioningEvents?.events[0]?.event === WAITING;
    };
    expect(await isDone()).toBe(false);
    await expect.poll(isDone, { timeout: bootTimeoutMs, interval: 500 }).toBe(true);

    const { namespaces, sata, virtio, readOnly } = disks;
    for (const disk of [...namespaces, sata, virtio]) expect(plantedSectors(disk), disk.name).toBe(0);
    expect(large.filter((path, index) => isPlanted(path, identity.disks[index]?.sizeBytes ?? 0))).toEqual([]);
    // Nothing was written where nothing can be.
    expect(plantedSectors(readOnly)).toBe(readFileSync(readOnly.path).length / 512);
  });

  test('once it is allocated and boots from the network all the same, it is sent to its disk, and starts from it', async () => {
    expect(waits).toBe(true);
    const machine = onlyMachine(rig);
    const started = 'INGOT started from the disk';
    writeFileSync(
      disks.sata.path,
      espImage({
        'EFI/BOOT/BOOTX64.EFI': readFileSync('/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
        'EFI/DEBIAN/GRUB.CFG': Buffer.from(`echo "${started}"\nsleep 600\n`),
      }),
    );
    await allocate(rig.rack, machine.identity.uuid, 'web');
    await machine.power.reset();
    await expect
      .poll(() => readFileSync(machine.consoleLog, 'utf8').includes(started), { timeout: bootTimeoutMs, interval: 500 })
      .toBe(true);
    const [last] = (await known()).recentProvisioningEvents?.events ?? [];
    expect(last).toMatchObject({
      event: PLANNED_REBOOT,
      message: expect.stringMatching(/^allocated: starting from its disk by the UEFI entry "UEFI .*"$/),
    });
  });
});
