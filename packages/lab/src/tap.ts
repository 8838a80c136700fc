// The one file of the lab that calls libc: Node has neither setns(2) nor ioctl(2).
import { closeSync, constants, openSync } from 'node:fs';
import { dlopen } from 'node:ffi';
import { LabError } from './errors.ts';

const CLONE_NEWNET = 0x4000_0000;
/** _IOW('T', 202, int), linux/if_tun.h */
const TUNSETIFF = 0x4004_54can;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
/** struct ifreq: 16 bytes of name, then a union of 24. */
const IFREQ_LENGTH = 40;
const IFNAMSIZ = 16;

/**
 * Opens the existing persistent tap `device` of the network namespace `namespace` and returns the file descriptor, to be
 * handed to QEMU (`-netdev tap,fd=N`) and closed here. The tap has carrier exactly while some process holds such a
 * descriptor, so the leaf sees the link go up and down with the machine's power.
 *
 * setns(2) moves only the calling thread, and everything between the two calls is synchronous on it.
 */
export function openTap(namespace: string, device: string): number {
  if (Buffer.byteLength(device) >= IFNAMSIZ)
    throw new LabError('LAB_OPTION', `interface name ${device} is longer than ${IFNAMSIZ - 1} bytes`);
  const libc = dlopen('libc.so.6', {
    setns: { arguments: ['i32', 'i32'], return: 'i32' },
    ioctl: { arguments: ['i32', 'u64', 'pointer'], return: 'i32' },
  });
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const there = openSync(`/run/netns/${namespace}`, 'r');
  let fd: number | undefined;
  try {
    if (libc.functions.setns(there, CLONE_NEWNET) !== 0)
      throw new LabError('LAB_NEEDS_ROOT', `cannot enter network namespace ${namespace}; run as root`);
    fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
    const request = Buffer.alloc(IFREQ_LENGTH);
    request.write(device, 'ascii');
    request.writeInt16LE(IFF_TAP | IFF_NO_PI, IFNAMSIZ);
    if (libc.functions.ioctl(fd, TUNSETIFF, request) !== 0) {
      closeSync(fd);
      throw new LabError(
        'LAB_COMMAND_FAILED',
        `tap ${device} in ${namespace} cannot be opened; does another machine hold it?`,
      );
    }
    return fd;
  } finally {
    if (libc.functions.setns(home, CLONE_NEWNET) !== 0) process.abort(); // every later socket would be in the wrong namespace
    closeSync(home);
    closeSync(there);
    libc.lib.close();
  }
}
