// The one file of the agent's BMC part that calls libc: Node has no ioctl(2).
import { closeSync, constants, openSync } from 'node:fs';
import type { Clock } from '@ingot/net';
import { AgentError, AgentErrorCode } from '../errors.ts';
import type { Ipmi, IpmiCommand } from './ipmi.ts';

/**
 * linux/ipmi.h; the sizes in the numbers are those of 64-bit machines.
 * _IOR('i', 13, struct ipmi_req), _IOWR('i', 11, struct ipmi_recv)
 */
const IPMICTL_SEND_COMMAND = 0x8028_690dn;
const IPMICTL_RECEIVE_MSG_TRUNC = 0xc030_690bn;
const IPMI_SYSTEM_INTERFACE_ADDR_TYPE = 0x0c;
const IPMI_BMC_CHANNEL = 0x0f;
const IPMI_RESPONSE_RECV_TYPE = 1;
/** struct ipmi_addr, the largest of the addresses. */
const SIZEOF_ADDRESS = 40;
const SIZEOF_SI_ADDRESS = 8;
const SIZEOF_REQUEST = 40;
const SIZEOF_RECEIVED = 48;
const IPMI_MAX_MSG_LENGTH = 272;
const EAGAIN = 11;
const EINTR = 4;
const EMSGSIZE = 90;

/** A KCS interface takes some milliseconds for an answer, and Node cannot poll(2) a device. */
const lookEveryMs = 2;

/**
 * The BMC through the kernel's driver. Nothing of a message shows anywhere else: no program is started, and no file is
 * written. Calls never block: what the BMC does not answer, `signal` ends.
 *
 * @throws AgentError when the device cannot be opened, or this Node has no ioctl
 */
export function openIpmiDevice(path: string, clock: Clock): Ipmi {
  const libc = openIoctl();
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw new AgentError(AgentErrorCode.BmcFailed, `${path} cannot be opened; is the agent root?`, { cause: error });
  }
  let lastId = 0n;

  const transmit = ({ netFn, command }: IpmiCommand, data: Uint8Array): bigint => {
    lastId += 1n;
    const address = Buffer.alloc(SIZEOF_SI_ADDRESS);
    address.writeInt32LE(IPMI_SYSTEM_INTERFACE_ADDR_TYPE, 0);
    address.writeInt16LE(IPMI_BMC_CHANNEL, 4);
    const body = Buffer.alloc(Math.max(1, data.length));
    body.set(data);
    const request = Buffer.alloc(SIZEOF_REQUEST);
    request.writeBigUInt64LE(libc.addressOf(address), 0);
    request.writeUInt32LE(SIZEOF_SI_ADDRESS, 8);
    request.writeBigInt64LE(lastId, 16);
    request.writeUInt8(netFn, 24);
    request.writeUInt8(command, 25);
    request.writeUInt16LE(data.length, 26);
    request.writeBigUInt64LE(libc.addressOf(body), 32);
    const status = libc.ioctl(fd, IPMICTL_SEND_COMMAND, request);
    const errno = status < 0 ? libc.errno() : 0;
    // The kernel has its own copy by now.
    body.fill(0);
    if (errno !== 0)
      throw new AgentError(AgentErrorCode.BmcFailed, `${path} does not take commands (errno ${errno}); see dmesg`);
    return lastId;
  };

  /** One message, whatever it is; undefined while there is none. */
  const receive = (): { readonly id: bigint; readonly isResponse: boolean; readonly data: Uint8Array } | undefined => {
    const address = Buffer.alloc(SIZEOF_ADDRESS);
    const data = Buffer.alloc(IPMI_MAX_MSG_LENGTH);
    const received = Buffer.alloc(SIZEOF_RECEIVED);
    received.writeBigUInt64LE(libc.addressOf(address), 8);
    received.writeUInt32LE(SIZEOF_ADDRESS, 16);
    received.writeUInt16LE(IPMI_MAX_MSG_LENGTH, 34);
    received.writeBigUInt64LE(libc.addressOf(data), 40);
    if (libc.ioctl(fd, IPMICTL_RECEIVE_MSG_TRUNC, received) < 0) {
      const errno = libc.errno();
      if (errno === EAGAIN || errno === EINTR) return undefined;
      // What was cut is there all the same, and longer than any answer that is asked for.
      if (errno !== EMSGSIZE)
        throw new AgentError(AgentErrorCode.BmcFailed, `${path} gives no answers (errno ${errno})`);
    }
    return {
      id: received.readBigInt64LE(24),
      isResponse: received.readInt32LE(0) === IPMI_RESPONSE_RECV_TYPE,
      data: Uint8Array.from(data.subarray(0, Math.min(received.readUInt16LE(34), IPMI_MAX_MSG_LENGTH))),
    };
  };

  return {
    name: path,
    async send(command, data, signal) {
      const id = transmit(command, data);
      for (;;) {
        // Answers to earlier commands, given up on meanwhile, come first.
        for (let message = receive(); message !== undefined; message = receive())
          if (message.isResponse && message.id === id) return message.data;
        await clock.sleep(lookEveryMs, signal);
      }
    },
    close: () => closeSync(fd),
  };
}

interface Ioctl {
  errno(): number;
  addressOf(buffer: Uint8Array): bigint;
  ioctl(fd: number, request: bigint, argument: Uint8Array): number;
}

function openIoctl(): Ioctl {
  try {
    // Not imported: only a process that talks to a BMC shall depend on an experimental part of Node.
    const { dlopen, getInt32, getRawPointer } = process.getBuiltinModule('node:ffi');
    // null: the process itself, which has libc loaded whatever its file name is.
    const { functions: c } = dlopen(null, {
      __errno_location: { return: 'pointer', arguments: [] },
      ioctl: { return: 'i32', arguments: ['i32', 'u64', 'buffer'] },
    });
    return {
      // oxlint-disable-next-line no-underscore-dangle -- glibc's and musl's name of it
      errno: () => getInt32(c.__errno_location()),
      addressOf: (buffer) => getRawPointer(buffer),
      ioctl: (fd, request, argument) => c.ioctl(fd, request, argument),
    };
  } catch (error) {
    throw new AgentError(AgentErrorCode.BmcFailed, 'this Node cannot call ioctl(2): it has no node:ffi', {
      cause: error,
    });
  }
}
