import { execFileSync } from 'node:child_process';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { fetchArm64Files } from '../e2e/arm64-packages.ts';
import { createRack, leftovers, machineInApi, onlyMachine } from '../e2e/rack-under-test.ts';
import { buildHttpGrub } from '../support/grub-image.ts';
import { root } from '../support/image.ts';

const out = join(root, '.cache/image/out-arm64');
const rackName = 'e2earm';
const processor = 'Ampere(R) Altra(R) Processor Q80-30';
/** Five times what it takes on two idle cores of software emulation. */
const bootTimeoutMs = 500_000;

beforeAll(() => {
  execFileSync(process.execPath, ['images/build.ts', '--arch', 'arm64'], { cwd: root, stdio: 'inherit' });
}, 600_000);

// Debian has no iPXE for ARM, and its signed GRUB fetches by TFTP only: this one is as operators build it for HTTP boot.
test(
  'an ARM machine boots by HTTP under AAVMF, registers what it is made of, and waits',
  { timeout: bootTimeoutMs + 60_000 },
  async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'ingot-grub-'));
    const loader = join(directory.path, 'own.efi');
    buildHttpGrub(loader, fetchArm64Files().grubModules, '10.0.0.1:8080');
    {
      await using rig = await createRack(rackName, {
        image: { kernel: join(out, 'vmlinuz'), initrd: join(out, 'initrd') },
        bootServer: { ipxe: { files: { efiArm64: 'own.efi' }, loaders: { 'own.efi': loader } } },
        machine: {
          firmware: 'uefi-http-arm64',
          more: () => ({ args: ['-smbios', `type=4,version=${processor}`] }),
        },
      });
      const machine = onlyMachine(rig);
      const { identity } = machine;
      await machine.power.on();
      expect(await rig.rack.untilWaiting(machine, bootTimeoutMs, new AbortController().signal)).toBeUndefined();

      const { hardware, meta, rack } = await machineInApi(rig, identity.uuid);
      expect(rack).toBe('rack1');
      expect(hardware?.cpus).toMatchObject([{ vendor: 'ARM', model: processor, cores: 2, threads: 2 }]);
      expect(hardware?.memory).toBe(2n ** 30n);
      expect(hardware?.disks.map(({ name, size }) => [name, size])).toEqual(
        identity.disks.map(({ sizeBytes }, index) => [`/dev/nvme${index}n1`, BigInt(sizeBytes)]),
      );
      for (const { mac, leaf } of identity.nics) {
        const nic = hardware?.nics.find((each) => each.mac === mac);
        expect(
          nic?.neighbors.map(({ hostname }) => hostname),
          mac,
        ).toEqual([leaf]);
      }
      const labels = Object.values(meta?.labels?.labels ?? {}).join('\n');
      for (const serial of [identity.systemSerial, ...identity.disks.map((disk) => disk.serial)])
        expect(labels).toContain(serial);
    }
    expect(leftovers(rackName)).toEqual([]);
  },
);
