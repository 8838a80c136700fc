// Throws generated malformed requests at a boot server: node flood-main.ts ADDRESS COUNT
// Ends after COUNT of each, or after 200 s.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { connect } from 'node:net';
import { randomBytes, randomInt } from 'node:crypto';

const [address = '', countText = ''] = process.argv.slice(2);
const count = Number(countText);
const deadline = performance.now() + 200_000;
const httpPort = 8080;
const httpConcurrency = 32;

/** A relayed DISCOVER's fixed part and cookie, to be damaged. */
function discover(): Buffer {
  const packet = Buffer.alloc(300);
  packet.set([1, 1, 6, 1], 0);
  packet.set(randomBytes(4), 4);
  packet.set([10, 0, 1, 1], 24);
  packet.set(randomBytes(6), 28);
  packet.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 93, 2, 0, 0, 97, 17, 0, ...randomBytes(16), 255], 236);
  return packet;
}

/** Cut short, with an option running past the end, with bytes flipped, or nothing but noise. */
function malformedDhcp(index: number): Buffer {
  const packet = discover();
  switch (index % 4) {
    case 0:
      return packet.subarray(0, randomInt(240));
    case 1:
      packet[packet.length - 2] = 250;
      packet.fill(7, 240, packet.length - 2);
      return packet;
    case 2:
      for (let flips = 0; flips < 16; flips += 1) packet[randomInt(packet.length)] = randomInt(256);
      packet[0] = 3;
      return packet;
    default:
      return randomBytes(randomInt(1, 600));
  }
}

/** Unterminated names, unknown opcodes, options without values, paths out of the tree. */
function malformedTftp(index: number): Buffer {
  switch (index % 4) {
    case 0:
      return Buffer.from('\0\x01undionly.kpxe', 'latin1');
    case 1:
      return Buffer.from('\0\x01../../../../etc/shadow\0octet\0blksize\0\0', 'latin1');
    case 2:
      return Buffer.concat([Buffer.from([0, randomInt(6, 256)]), randomBytes(randomInt(200))]);
    default:
      return randomBytes(randomInt(1, 600));
  }
}

function malformedHttp(index: number): string | Buffer {
  switch (index % 4) {
    case 0:
      return 'GET /_/ipxe?mac=zz:zz&uuid=%%% HTTP/1.1\r\nHost: x\r\n\r\n';
    case 1:
      return 'GET /../../../../etc/shadow HTTP/1.1\r\nHost: x\r\nRange: bytes=9-1,,-\r\n\r\n';
    case 2:
      return `POST /config/${'x'.repeat(200)}?nonce=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n`;
    default:
      return randomBytes(randomInt(1, 600));
  }
}

async function floodUdp(port: number, make: (index: number) => Buffer): Promise<number> {
  const socket: Socket = createSocket('udp4');
  socket.on('error', () => {});
  let sent = 0;
  while (sent < count && performance.now() < deadline) {
    await new Promise<void>((resolve) => socket.send(make(sent), port, address, () => resolve()));
    sent += 1;
  }
  socket.close();
  return sent;
}

function floodOnce(index: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(httpPort, address, () => socket.end(malformedHttp(index)));
    socket.setTimeout(2000, () => socket.destroy());
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

async function floodHttp(): Promise<number> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count && performance.now() < deadline) {
      sent += 1;
      await floodOnce(sent);
    }
  };
  await Promise.all(Array.from({ length: httpConcurrency }, worker));
  return sent;
}

const [dhcp, tftp, http] = await Promise.all([floodUdp(67, malformedDhcp), floodUdp(69, malformedTftp), floodHttp()]);
process.stdout.write(JSON.stringify({ dhcp, tftp, http }));
process.exit(0);
