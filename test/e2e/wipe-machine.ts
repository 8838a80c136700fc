import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { zstdCompressSync } from 'node:zlib';
import { bundle } from '../../images/bundle.ts';
import { writeCpio } from '../../images/cpio.ts';
import { image, root } from '../support/image.ts';

/** The image's programs and drivers, and instead of its life the guest of the wipe's test. */
const init = `#!/usr/bin/busybox sh
export PATH=/usr/bin:/usr/sbin LANG=C
/usr/bin/busybox mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
mount -t tmpfs tmp /tmp
stty -echo
modprobe -a nvme virtio_pci virtio_blk ahci sd_mod
until [ -e /dev/nvme0n2 ] && [ -e /dev/nvme0n3 ] && [ -e /dev/sda ] && [ -e /dev/vda ] && [ -e /dev/vdb ]; do sleep 0.1; done
blockdev --setro /dev/nvme0n2
node /guest.cjs
poweroff -f
`;

const marker = 'INGOT-PLANTED';
const sectorBytes = 512;

export interface Disk {
  readonly name: string;
  readonly path: string;
}

/** A file in which every sector says what it is. With `partition`, the kernel finds one: an MBR's first entry. */
export function plantDisk(directory: string, name: string, mebibytes: number, partition = false): Disk {
  const content = Buffer.alloc(mebibytes * 2 ** 20);
  for (let at = 0; at < content.length; at += sectorBytes) {
    content.fill('.', at, at + sectorBytes);
    content.write(`${marker} ${name} ${at / sectorBytes}`, at);
  }
  if (partition) {
    content.fill(0, 446, 510);
    content[450] = 0x83;
    content.writeUInt32LE(2048, 454);
    content.writeUInt32LE(content.length / sectorBytes - 2048, 458);
    content.writeUInt16LE(0xaa55, 510);
  }
  const path = join(directory, `${name}.img`);
  writeFileSync(path, content);
  return { name, path };
}

/** Sectors that still say what they were. */
export function plantedSectors({ path }: Disk): number {
  const content = readFileSync(path);
  let count = 0;
  for (let at = content.indexOf(marker); at >= 0; at = content.indexOf(marker, at + 1)) count += 1;
  return count;
}

/** The first bytes of a disk. */
export function head({ path }: Disk, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, 0);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

export interface Guest extends AsyncDisposable {
  /** The next value that the guest says under this word. Rejects when it ends before. */
  said(word: string): Promise<unknown>;
  /** Lets it go on to the API's next answer. */
  goOn(): void;
}

/** @param answers for the guest's `/answers.json`; `disks`: QEMU's arguments */
export async function bootGuest(answers: readonly unknown[], disks: readonly string[]): Promise<Guest> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-wipe-'));
  const { code } = await bundle(join(root, 'packages/discovery-agent/test/wipe/guest-main.ts'));
  const extra = writeCpio([
    { kind: 'file', path: 'wipe-init', mode: 0o755, data: Buffer.from(init) },
    { kind: 'file', path: 'guest.cjs', data: code },
    { kind: 'file', path: 'answers.json', data: Buffer.from(JSON.stringify(answers)) },
  ]);
  const initrd = join(directory, 'initrd');
  writeFileSync(initrd, Buffer.concat([readFileSync(image.initrd), zstdCompressSync(extra)]));
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35', '-accel', 'tcg', '-cpu', 'max'],
      ['-smp', '2', '-m', '1024', '-no-reboot', '-kernel', image.kernel, '-initrd', initrd],
      ['-append', 'console=ttyS0 quiet panic=-1 rdinit=/wipe-init', '-serial', 'stdio'],
      disks,
    ].flat(),
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const heard: [word: string, value: unknown][] = [];
  const transcript: string[] = [];
  let wake = (): void => undefined;
  let over = false;
  const ended = new Promise<void>((resolve) =>
    qemu.once('close', () => {
      over = true;
      wake();
      resolve();
    }),
  );
  createInterface({ input: qemu.stdout }).on('line', (line) => {
    transcript.push(line);
    const [, word, json] = /^GUEST (\S+) (.*)$/.exec(line.trim()) ?? [];
    if (word === undefined || json === undefined) return;
    heard.push([word, JSON.parse(json)]);
    wake();
  });
  return {
    async said(word) {
      for (;;) {
        const next = heard.shift();
        if (next?.[0] === word) return next[1];
        if (next !== undefined) continue;
        if (over)
          throw new Error(`the guest ended without a word about "${word}":\n${transcript.slice(-30).join('\n')}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    goOn: () => void qemu.stdin.write('\n'),
    async [Symbol.asyncDispose]() {
      qemu.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function scratchDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'ingot-disks-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
