import { dlopen } from 'node:ffi';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** The service manager's end of NOTIFY_SOCKET: `receive` takes a datagram that has been sent already. */
export interface UnixReceiver extends Disposable {
  receive(): string;
}

/** Binds a unix datagram socket: `/path`, or `@name` for an abstract one. */
export function bindUnixReceiver(path: string): UnixReceiver {
  const { lib, functions } = dlopen(null, {
    socket: { return: 'i32', arguments: ['i32', 'i32', 'i32'] },
    bind: { return: 'i32', arguments: ['i32', 'buffer', 'u32'] },
    recv: { return: 'i64', arguments: ['i32', 'buffer', 'u64', 'i32'] },
    close: { return: 'i32', arguments: ['i32'] },
  });
  const descriptor = functions.socket(AF_UNIX, SOCK_DGRAM, 0);
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`;
  const address = Buffer.concat([Uint8Array.of(AF_UNIX, 0), Buffer.from(name)]);
  if (functions.bind(descriptor, address, address.byteLength) !== 0) throw new Error(`cannot bind ${path}`);
  return {
    receive: () => {
      const buffer = Buffer.alloc(4096);
      const length = functions.recv(descriptor, buffer, BigInt(buffer.byteLength), MSG_DONTWAIT);
      if (length < 0n) throw new Error(`nothing was sent to ${path}`);
      return buffer.toString('utf8', 0, Number(length));
    },
    [Symbol.dispose]: () => {
      functions.close(descriptor);
      lib.close();
    },
  };
}
