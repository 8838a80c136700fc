// Captures what firmware sends that Debian has no iPXE for, and the GRUB that it loads, for the golden tests of
// packages/wire: up to GRUB's or U-Boot's configuration. As root: node test/goldens/capture-loaders.ts [FIRMWARE…]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { Firmware } from '@ingot/lab';
import { fetchArm64Files } from '../e2e/arm64-packages.ts';
import { createFirmwareRack } from '../e2e/firmware-rack.ts';
import { buildMarkerInitrd } from '../e2e/marker-initrd.ts';
import { buildHttpGrub } from '../support/grub-image.ts';
import prepareImage, { image, root } from '../support/image.ts';

const goldens = join(root, 'packages/wire/test/goldens');
const bootFilter = 'udp and (port 67 or port 68 or port 69 or port 4011)';
const timeoutMs = 120_000;

async function captureBoot(firmware: Firmware): Promise<void> {
  await using rack = await createFirmwareRack('golden');
  const arm64 = fetchArm64Files();
  const own = join(rack.bench.directory, 'own.efi');
  buildHttpGrub(
    own,
    firmware.endsWith('ia32') ? '/usr/lib/grub/i386-efi' : arm64.grubModules,
    '10.0.0.1:8080',
  );
  const isHttp = firmware.includes('http');
  const initrd = buildMarkerInitrd('initrd-amd64', '/bin/busybox');
  const server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: {
      ipxe: {
        files: isHttp
          ? { efiIa32: 'own.efi', efiArm64: 'own.efi' }
          : { efiIa32: 'grubia32.efi', efiArm64: 'grubaa64.efi' },
        loaders: { 'own.efi': own, 'grubaa64.efi': arm64.grub },
      },
      artifacts: { roots: [dirname(image.kernel), dirname(initrd)] },
      sources: { profiles: { inline: [{ name: 'all', kernel: image.kernel, initrd, cmdline: 'quiet' }] } },
    },
  });
  const file = join(goldens, `${firmware}-grub.pcap`);
  const words = ['tcpdump', '-i', 'br0', '-s', '0', '--immediate-mode', '-U', '-n', '-Z', 'root', '-w', file, bootFilter];
  const dump = spawn('ip', ['netns', 'exec', rack.management.name, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(dump, 'close');
  // "listening on br0, …"
  await once(dump.stderr, 'data');
  const { machine } = await rack.createMachine('machine', firmware, ['management']);
  await machine.on();
  const until = Date.now() + timeoutMs;
  while (!server.events.some(({ event }) => event === 'http.script')) {
    if (Date.now() > until) throw new Error(`${firmware} did not ask for its configuration`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  dump.kill('SIGINT');
  await ended;
}

prepareImage();
const captured: readonly Firmware[] = ['uefi-ia32', 'uefi-http-ia32', 'uefi-arm64', 'uefi-http-arm64', 'u-boot-arm64'];
const wanted = process.argv.slice(2);
for (const firmware of captured) if (wanted.length === 0 || wanted.includes(firmware)) await captureBoot(firmware);
