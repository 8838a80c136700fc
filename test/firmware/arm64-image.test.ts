import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { fetchBoot } from '../e2e/ipxe-stand-in.ts';
import type { FetchedBoot } from '../e2e/ipxe-stand-in.ts';
import { createRack, leftovers, machineInApi, onlyMachine } from '../e2e/rack-under-test.ts';
import { root } from '../support/image.ts';

const out = join(root, '.cache/image/out-arm64');
const rackName = 'e2earm';
const processor = 'Ampere(R) Altra(R) Processor Q80-30';
/** Five times what it takes on two idle cores of software emulation. */
const bootTimeoutMs = 400_000;

beforeAll(() => {
  execFileSync(process.execPath, ['images/build.ts', '--arch', 'arm64'], { cwd: root, stdio: 'inherit' });
}, 600_000);

// Debian has no iPXE for ARM, and its signed GRUB fetches by TFTP only, which takes it many minutes on an emulated
// processor (firmware.test.ts boots ARM through it with a small initrd). So the boot loader's part is done from outside,
// and QEMU hands AAVMF what was loaded.
test(
  'an ARM machine starts under AAVMF, registers what it is made of, and waits',
  { timeout: bootTimeoutMs + 60_000 },
  async () => {
    {
      let boot: FetchedBoot | undefined;
      await using rig = await createRack(rackName, {
        image: { kernel: join(out, 'vmlinuz'), initrd: join(out, 'initrd') },
        machine: {
          firmware: 'uefi-arm64',
          more: () => ({
            args: [
              ['-smbios', `type=4,version=${processor}`],
              boot === undefined ? [] : ['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', boot.cmdline],
            ].flat(),
          }),
        },
      });
      const machine = onlyMachine(rig);
      const { identity } = machine;
      using fetched = await fetchBoot(rackName, identity);
      boot = fetched;
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
