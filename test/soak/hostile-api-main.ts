/**
 * Hostile clients of the API server, over everything that its port speaks: floods of frames, requests that never end,
 * answers that nobody takes, bombs, forged tokens, handshakes that stop in the middle, and connections that only wait.
 * Ends after the given time and prints what it did as JSON.
 *
 *     node test/soak/hostile-api-main.ts <port> <ca file> <token file> <seconds> <seed>
 */
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { hostileFrames } from './hostile-api-frames.ts';
import { forgedTokens } from './hostile-api-tokens.ts';
import { seededRandom } from './random.ts';

const [port = '', caFile = '', tokenFile = '', seconds = '', seed = ''] = process.argv.slice(2);
const PARALLEL = 20;
/** Each attack ends then by itself. */
const PATIENCE_MS = 2_500;
const until = performance.now() + Number(seconds) * 1_000;
const [ca, token] = [readFileSync(caFile, 'utf8'), readFileSync(tokenFile, 'utf8').trim()];
const random = seededRandom(Number(seed));
const forged = forgedTokens(token);
const done: Record<string, number> = {};

const METHODS = [
  '/metalstack.infra.v2.BootService/Register',
  '/metalstack.infra.v2.BootService/Wait',
  '/metalstack.infra.v2.EventService/Send',
  '/metalstack.infra.v2.SwitchService/Register',
  '/metalstack.infra.v2.BMCService/WaitForBMCCommand',
  '/metalstack.api.v2.IPService/Create',
  '/metalstack.api.v2.MethodService/List',
  '/metalstack.api.v2.VersionService/Get',
  '/metalstack.admin.v2.MachineService/List',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/no.such.Service/Method',
] as const;
const TYPES = [
  'application/grpc+proto',
  'application/grpc',
  'application/grpc-web+proto',
  'application/proto',
  'application/json',
  'application/connect+json',
  'application/connect+proto',
  'text/plain',
] as const;

const junk = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)));
const framed = (message: Buffer, length = message.length, flags = 0): Buffer => {
  const prefix = Buffer.alloc(5, flags);
  prefix.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([prefix, message]);
};
/** 4 MiB of fields that are empty messages, of one field number or another; in one field, or on their own. */
function empties(): Buffer {
  const field = Buffer.from([(1 + random.below(15)) * 8 + 2, 0]);
  const content = Buffer.alloc(2 * (1 + random.below(2_000_000)), field);
  const length = Buffer.from([
    0x12,
    (content.length & 0x7f) | 0x80,
    ((content.length >> 7) & 0x7f) | 0x80,
    ((content.length >> 14) & 0x7f) | 0x80,
    content.length >> 21,
  ]);
  return random.below(2) === 0 ? content : Buffer.concat([length, content]);
}
const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024, 0x20));
const bodies = [
  () => junk(random.below(2_000)),
  () => framed(junk(random.below(2_000))),
  () => framed(junk(10), random.pick([2 ** 32 - 1, 2 ** 31, 4 * 1024 * 1024, 1])),
  () => empties(),
  () => framed(empties()),
  () => Buffer.from(`{"hardware":{"nics":[${'{},'.repeat(random.below(400_000))}{}]}}`),
  () => Buffer.from('['.repeat(random.below(1_000_000))),
  () => Buffer.alloc(5 * 1024 * 1024, 0x20),
  () => Buffer.from(JSON.stringify({ uuid: 'x'.repeat(random.below(1_000_000)), partition: '\u0000\u202e' })),
  () => bomb,
  () => framed(bomb, bomb.length, 1),
  // Groups within groups, and varints without an end.
  () => framed(Buffer.alloc(random.below(1_000_000), random.pick([0x0b, 0x7b, 0xff, 0x80]))),
] as const;

/** Resolves when the socket is gone, or destroys it after a while. */
function gone(socket: Socket, patienceMs = PATIENCE_MS): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(late);
      resolve();
    });
  });
}

function secured(protocol: string): Socket {
  return connectTls({ host: '127.0.0.1', port: Number(port), ca, ALPNProtocols: [protocol] });
}

function sessionOf(options: object = {}): { readonly session: ClientHttp2Session; readonly closed: Promise<void> } {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, maxSessionMemory: 64, ...options });
  session.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    const late = setTimeout(() => session.destroy(), PATIENCE_MS);
    session.once('close', () => {
      clearTimeout(late);
      resolve();
    });
  });
  return { session, closed };
}

const authorization = (): string => `Bearer ${random.pick([token, token, ...forged])}`;

/** Many streams on one session; what becomes of them is the server's to say. */
function streams(session: ClientHttp2Session, count: number, isUnfinished: boolean): void {
  for (let index = 0; index < count && !session.destroyed && !session.closed; index += 1) {
    const stream = session.request({
      ':method': random.pick(['POST', 'POST', 'POST', 'GET', 'PUT']),
      ':path': random.pick(METHODS),
      'content-type': random.pick(TYPES),
      te: 'trailers',
      ...(random.below(3) === 0 ? {} : { authorization: authorization() }),
      ...(random.below(4) === 0 ? { 'grpc-encoding': 'gzip', 'content-encoding': 'gzip' } : {}),
      ...(random.below(6) === 0 ? { 'grpc-timeout': random.pick(['99999999H', '0n', '-1S', 'x']) } : {}),
      ...(random.below(8) === 0 ? { 'connect-timeout-ms': random.pick(['1', '99999999999999', 'x']) } : {}),
    });
    stream.on('error', () => undefined);
    if (random.below(2) === 0) stream.resume();
    const body = random.pick(bodies)();
    if (isUnfinished) stream.write(body.subarray(0, Math.max(1, body.length - 1)));
    else stream.end(body);
    if (random.below(10) === 0) stream.close(constants.NGHTTP2_CANCEL);
  }
}

const ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  async halfHandshake() {
    const sockets = Array.from({ length: 60 }, () => connectTcp({ host: '127.0.0.1', port: Number(port) }));
    for (const socket of sockets) if (random.below(2) === 0) socket.write(junk(1 + random.below(200)));
    await Promise.all(sockets.map((socket) => gone(socket)));
  },
  async frames() {
    const socket = secured('h2');
    const ended = gone(socket);
    socket.write(hostileFrames(random));
    // Some read nothing of what comes back.
    if (random.below(2) === 0) socket.resume();
    await ended;
  },
  async unfinished() {
    const { session, closed } = sessionOf();
    streams(session, 60, true);
    await closed;
  },
  async everything() {
    const { session, closed } = sessionOf();
    streams(session, 20, false);
    await closed;
  },
  async unread() {
    const { session, closed } = sessionOf({ settings: { initialWindowSize: 0 } });
    streams(session, 100, false);
    await closed;
  },
  async rapidReset() {
    const { session, closed } = sessionOf();
    for (let index = 0; index < 2_000 && !session.destroyed && !session.closed; index += 1) {
      const stream = session.request({
        ':method': 'POST',
        ':path': random.pick(METHODS),
        authorization: authorization(),
      });
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await closed;
  },
  async tokens() {
    const { session, closed } = sessionOf();
    for (const bad of forged) {
      if (session.destroyed || session.closed) break;
      const stream = session.request({
        ':method': 'POST',
        ':path': METHODS[8],
        'content-type': 'application/json',
        authorization: `Bearer ${bad}`,
      });
      stream.on('error', () => undefined);
      stream.resume();
      stream.on('response', (headers) => {
        if (headers[':status'] === 200)
          done['forged tokens that were taken'] = (done['forged tokens that were taken'] ?? 0) + 1;
      });
      stream.end('{}');
    }
    setTimeout(() => session.close(), 1_000);
    await closed;
  },
  async http1() {
    const socket = secured('http/1.1');
    const ended = gone(socket);
    const lines = [
      `${random.pick(['POST', 'POST', 'GET', 'CONNECT', 'OPTIONS', 'x'])} ${random.pick(METHODS)} HTTP/1.${random.below(3)}`,
      'host: x',
      `content-type: ${random.pick(TYPES)}`,
      ...(random.below(2) === 0 ? [`authorization: ${authorization()}`] : []),
      random.pick([
        'content-length: 20',
        'content-length: 99999999999',
        'content-length: -1',
        'transfer-encoding: chunked\r\ncontent-length: 3',
        'transfer-encoding: chunked',
        'expect: 100-continue',
        'upgrade: h2c\r\nconnection: upgrade',
        `x: ${'y'.repeat(random.below(100_000))}`,
      ]),
    ];
    const request = Buffer.concat([
      Buffer.from(`${lines.join('\r\n')}\r\n\r\n`),
      random.pick(bodies)().subarray(0, 100_000),
    ]);
    if (random.below(3) === 0) {
      // Byte by byte, for as long as it is let.
      for (let at = 0; at < 200 && !socket.destroyed; at += 1) {
        socket.write(request.subarray(at, at + 1));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } else {
      for (let count = random.below(40); count >= 0; count -= 1) socket.write(request);
    }
    if (random.below(2) === 0) socket.resume();
    if (random.below(3) === 0) socket.destroy();
    await ended;
  },
  async idle() {
    await Promise.all(Array.from({ length: 60 }, () => sessionOf().closed));
  },
};

async function attacker(): Promise<void> {
  const names = Object.keys(ATTACKS);
  while (performance.now() < until) {
    const name = names[random.below(names.length)] ?? '';
    await ATTACKS[name]?.();
    done[name] = (done[name] ?? 0) + 1;
  }
}

await Promise.all(Array.from({ length: PARALLEL }, attacker));
console.log(JSON.stringify(done));
// Some sockets may still be on their way.
process.exit(0);
