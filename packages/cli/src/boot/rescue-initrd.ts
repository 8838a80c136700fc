/** Runs in place of the discovery agent's init: drivers, addresses by DHCP as there, then a shell on the console, for ever. */
const RESCUE = `#!/usr/bin/busybox sh
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root LANG=C
/usr/bin/busybox mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
mkdir -p /dev/pts /run /tmp /root
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
mkdir -p -m 700 /run/ingot/leases
dmesg -n 4
coldplug() { find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u | xargs modprobe -qab 2>/dev/null; }
modprobe -qa af_packet 2>/dev/null
coldplug
coldplug
modprobe -qa sd_mod 2>/dev/null
ip link set lo up
for path in /sys/class/net/*; do
  [ -e "$path/device" ] || continue
  ip link set "\${path##*/}" up
  /etc/lease.sh "\${path##*/}" &
done
echo "INGOT rescue: a shell on this console; exit restarts it, reboot -f the machine"
while :; do setsid busybox cttyhack busybox sh -l; done
`;

const EXECUTABLE = 0o10_0755;
const ALIGNMENT = 4;

/** An initrd with nothing but `/rescue`, to be loaded after the discovery image's: the kernel unpacks both into one. */
export function rescueInitrd(): Buffer {
  return Buffer.concat([
    cpioEntry('rescue', Buffer.from(RESCUE), EXECUTABLE),
    cpioEntry('TRAILER!!!', Buffer.alloc(0), 0),
  ]);
}

/** A file in cpio's "newc" format: 13 numbers of 8 hex digits, the name and the data, each padded to 4 bytes. */
function cpioEntry(name: string, data: Buffer, mode: number): Buffer {
  const named = Buffer.from(`${name}\0`);
  // Inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of the name, checksum.
  const numbers = [0, mode, 0, 0, 1, 0, data.byteLength, 0, 0, 0, 0, named.byteLength, 0];
  const header = Buffer.from(`070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, named])), padded(data)]);
}

function padded(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc((ALIGNMENT - (part.byteLength % ALIGNMENT)) % ALIGNMENT)]);
}
