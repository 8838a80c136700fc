import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';
import { root } from './rack-under-test.ts';

const out = join(root, '.cache/image/out-arm64');
const uuid = '6f70137c-3016-4105-a064-277bd10fe26e';
/** Ten times what firmware, kernel and Node take on two idle cores of software emulation. */
const bootTimeoutMs = 400_000;

beforeAll(() => {
  execFileSync(process.execPath, ['images/build.ts', '--arch', 'arm64'], { cwd: root, stdio: 'inherit' });
}, 600_000);

// The image is handed over by QEMU: the GRUB that Debian signs for ARM fetches by TFTP only, minutes for 40 MB.
test(
  'the image for ARM starts under AAVMF: Node runs the agent, which asks for its configuration',
  { timeout: 450_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ingot-arm64-'));
    const variables = join(directory, 'variables.fd');
    copyFileSync('/usr/share/AAVMF/AAVMF_VARS.fd', variables);
    const flash = (unit: number, words: string): string[] => ['-drive', `if=pflash,unit=${unit},format=raw,${words}`];
    const qemu = spawn(
      'qemu-system-aarch64',
      [
        [
          '-nodefaults',
          '-no-user-config',
          '-display',
          'none',
          '-machine',
          'virt,gic-version=3',
          '-accel',
          'tcg,thread=multi',
        ],
        ['-cpu', 'cortex-a57', '-smp', '2', '-m', '1024', '-no-reboot', '-uuid', uuid, '-serial', 'stdio'],
        flash(0, 'readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd'),
        flash(1, `file=${variables}`),
        ['-kernel', join(out, 'vmlinuz'), '-initrd', join(out, 'initrd')],
        ['-append', 'quiet PIXIE_API_URL=http://192.0.2.1:8080/config'],
      ].flat(),
      { stdio: ['ignore', 'pipe', 'inherit'], timeout: bootTimeoutMs, killSignal: 'SIGKILL' },
    );
    const said: string[] = [];
    try {
      for await (const line of createInterface({ input: qemu.stdout })) {
        said.push(line);
        if (/^INGOT \S+ (?:config asking|crashed)/.test(line)) break;
      }
      const words = said.map((line) => line.replace(/^INGOT \S+ /, ''));
      expect(words).toContainEqual(expect.stringMatching(/^init kernel \S+-arm64, uefi boot$/));
      expect(words).toContainEqual(
        expect.stringMatching(new RegExp(`^agent discovery agent .*node ${process.versions.node}$`)),
      );
      expect(words.at(-1)).toBe('config asking 192.0.2.1:8080');
    } finally {
      qemu.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
