import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applets, etcFiles } from '../../images/contents.ts';
import type { NamespacePair, Started } from './namespace-pair.ts';

const images = fileURLToPath(new URL('../../images', import.meta.url));
const foreign = ['dhcpcd', 'dropbear', 'dropbearkey'];

/** Scripts of the discovery image on the client's side of a pair, with the programs and the files that they have there. */
export interface ImageSandbox {
  /** Runs a script of `images`, until the pair is disposed of. */
  start(script: string, words?: readonly string[], env?: Readonly<Record<string, string>>): Promise<Started>;
  /** Lines that the console got, without `INGOT` and the time. */
  console(): string[];
  /** A file below `/run/ingot`. */
  run(name: string): string | undefined;
}

/** @param cmdline of the kernel; may be set later, too, before a script starts */
export function createImageSandbox(pair: NamespacePair, cmdline: string): ImageSandbox {
  const at = (...names: string[]): string => join(pair.folder, ...names);
  for (const name of ['bin', 'run', 'etc', 'run/leases']) mkdirSync(at(name), { mode: 0o755 });
  for (const applet of applets) symlinkSync('/usr/bin/busybox', at('bin', applet));
  for (const name of foreign)
    symlinkSync(name === 'dropbearkey' ? `/usr/bin/${name}` : `/usr/sbin/${name}`, at('bin', name));
  for (const [path, text] of Object.entries(etcFiles)) writeFileSync(at(path), text);
  writeFileSync(at('console'), '');
  writeFileSync(at('cmdline'), `${cmdline}\n`);
  // Mounts of this process alone; each path is the image's, so that the scripts run as they are.
  const enter = pair.file(
    'enter.sh',
    [
      '#!/bin/sh -e',
      'umask 022',
      ...['/run', '/var/lib', '/root'].map((path) => `mount -t tmpfs -o mode=755 tmpfs ${path}`),
      'mkdir /run/ingot',
      `mount --bind ${at('run')} /run/ingot`,
      `mount --bind ${at('console')} /dev/console`,
      `mount --bind ${at('cmdline')} /proc/cmdline`,
      // Last: what mount is linked with is found by it.
      `mount --bind ${at('etc')} /etc`,
      `export PATH=${at('bin')} HOME=/root`,
      'exec "$@"',
      '',
    ].join('\n'),
  );
  return {
    start: (script, words = [], env = {}) =>
      pair.start('client', ['unshare', '--mount', '--propagation', 'private', enter, join(images, script), ...words], {
        env,
      }),
    console: () =>
      readFileSync(at('console'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(/^INGOT [\d.]+ /, '')),
    run: (name) => {
      try {
        return readFileSync(at('run', name), 'utf8');
      } catch {
        return undefined;
      }
    },
  };
}
