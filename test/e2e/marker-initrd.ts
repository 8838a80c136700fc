import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeCpio } from '../../images/cpio.ts';
import { root } from '../support/image.ts';

/** All that the guest does is to say in one line of its console what booted it, and to switch itself off. */
const init = `#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
# Debian's efivarfs is a module; the kernel itself says what it found.
uuid=$($b cat /sys/class/dmi/id/product_uuid 2>/dev/null)
secure=$($b dmesg | $b sed -n 's/.*secureboot: Secure boot //p' | $b tr -d ' ')
echo
echo "BOOTED machine=$($b uname -m) uuid=\${uuid:-unknown} secureboot=\${secure:-unknown} cmdline=$($b cat /proc/cmdline)"
$b poweroff -f
`;

/** What a guest said of its boot. */
export interface Marker {
  /** As `uname -m` has it. */
  readonly machine: string;
  /** `unknown` where the firmware hands no SMBIOS on. */
  readonly uuid: string;
  /** As the kernel found it: `enabled`, `disabled`, or `unknown` where there is no such thing. */
  readonly secureboot: string;
  readonly cmdline: string;
}

export const markerLine: RegExp =
  /^BOOTED machine=(?<machine>\S+) uuid=(?<uuid>\S+) secureboot=(?<secureboot>\S+) cmdline=(?<cmdline>.*)$/;

export function parseMarker(line: string): Marker {
  const { machine = '', uuid = '', secureboot = '', cmdline = '' } = markerLine.exec(line)?.groups ?? {};
  return { machine, uuid, secureboot, cmdline };
}

/** Writes the initrd around a static busybox and answers its path. */
export function buildMarkerInitrd(name: string, busybox: string): string {
  const directory = join(root, '.cache/marker');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  const archive = writeCpio([
    { kind: 'directory', path: 'bin' },
    { kind: 'directory', path: 'dev' },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, data: readFileSync(busybox) },
    { kind: 'file', path: 'init', mode: 0o755, data: Buffer.from(init) },
  ]);
  const data = gzipSync(archive, { level: 1 });
  // A boot server of another test may be serving it.
  if (existsSync(path) && readFileSync(path).equals(data)) return path;
  const half = `${path}.${process.pid}`;
  writeFileSync(half, data);
  renameSync(half, path);
  return path;
}
