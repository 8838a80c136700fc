import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { facts } from '../../../images/architecture.ts';
import { kernelOf } from '../../../images/base-layer.ts';
import { writeCpio } from '../../../images/cpio.ts';
import { readLock } from '../../../images/debian.ts';
import { pickModules } from '../../../images/modules.ts';

/** What any agent has to do before it can say a word: a network driver, an address, one request over HTTP. */
const init = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec </dev/null >/dev/console 2>&1
say() { read -r up _ </proc/uptime; echo "INGOT $up $*"; }
say init floor
/bin/busybox --install -s /bin
mount -t sysfs sys /sys
modprobe -a virtio_pci virtio_net af_packet
for path in /sys/class/net/eth*; do ip link set "\${path##*/}" up; done
udhcpc -q -n -f -i eth0 -t 20 -T 1 -s /lease >/dev/null
say network leased
url=$(sed -n 's/.*PIXIE_API_URL=\\([^ ]*\\).*/\\1/p' /proc/cmdline)
until wget -q -O /dev/null "$url"; do sleep 0.1; done
say config answered
while :; do sleep 60; done
`;

const lease = `#!/bin/busybox sh
[ "$1" = bound ] || exit 0
ip addr replace "$ip/24" dev "$interface"
for gateway in $router; do ip route replace default via "$gateway"; done
`;

/** Writes the smallest initrd that says the same words as the image, for the kernel of the image; answers its path. */
export function buildFloorInitrd(root: string, directory: string): string {
  const cache = join(root, '.cache/image');
  const lock = readLock(join(root, 'images', facts.amd64.lock));
  const kernel = kernelOf({ cache, lock, architecture: 'amd64', firmware: undefined });
  const drivers = pickModules(kernel.root, kernel.version, ['virtio_pci', 'virtio_net', 'af_packet']);
  const file = (path: string, text: string) => ({ kind: 'file', path, mode: 0o755, data: Buffer.from(text) }) as const;
  const archive = writeCpio([
    ...['bin', 'dev', 'lib', 'lib/modules', 'proc', 'sys'].map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'file', path: 'bin/busybox', mode: 0o755, data: readFileSync('/bin/busybox') },
    file('init', init),
    file('lease', lease),
    ...directoriesOf(drivers.entries.map(({ path }) => path.replace(/^usr\//, ''))),
    ...drivers.entries.map((entry) => ({ ...entry, path: entry.path.replace(/^usr\//, '') })),
  ]);
  const path = join(directory, 'floor');
  writeFileSync(path, zstdCompressSync(archive));
  return path;
}

function directoriesOf(paths: readonly string[]) {
  const above = new Set<string>();
  for (const path of paths) {
    const words = path.split('/');
    for (let count = 3; count < words.length; count += 1) above.add(words.slice(0, count).join('/'));
  }
  return [...above].map((path) => ({ kind: 'directory', path }) as const);
}
