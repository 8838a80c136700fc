import { readFileSync } from 'node:fs';
import { loadLibc } from '@ingot/net';

/** Sends whole Ethernet frames: `node send-frames.ts INTERFACE HEX…` */
const AF_PACKET = 17;
const SOCK_RAW = 3;

const [name = '', ...frames] = process.argv.slice(2);
const libc = await loadLibc();
if (libc === undefined) throw new Error('this Node cannot call libc');
const socket = libc.socket(AF_PACKET, SOCK_RAW, 0);
if (socket < 0) throw new Error(`no packet socket: errno ${libc.errno()}`);
// struct sockaddr_ll; of a raw socket's only the interface matters.
const address = new Uint8Array(20);
new Uint16Array(address.buffer)[0] = AF_PACKET;
new Int32Array(address.buffer)[1] = Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8'));
for (const frame of frames)
  if (libc.sendto(socket, Buffer.from(frame, 'hex'), 0, address) < 0) throw new Error(`errno ${libc.errno()}`);
libc.close(socket);
