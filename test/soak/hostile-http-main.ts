/**
 * Hostile HTTP clients: spoiled requests, paths that want out, heads without an end, bodies that never come, and
 * connections that only wait. They come from the 254 addresses of <sources>, for each leaves a port of its address in
 * TIME_WAIT, of which one address has 28,232 a minute. Ends after the given count or time and prints what it did as JSON.
 *
 *     node test/soak/hostile-http-main.ts <address> <port> <sources: a.b.c.0> <requests> <seconds> <seed>
 */
import { connect } from 'node:net';

const [address = '', port = '', sources = '', count = '', seconds = '', seed = ''] = process.argv.slice(2);
const PARALLEL = 24;
const until = Date.now() + Number(seconds) * 1000;
let state = Number(seed) >>> 0;
let done = 0;
let refused = 0;
const answers = new Map<string, number>();

/** mulberry32: below `bound`. */
function random(bound: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * bound);
}
const pick = <T>(list: readonly T[]): T | undefined => list[random(list.length)];
const junk = (length: number): string => Array.from({ length }, () => String.fromCharCode(random(256))).join('');

const PATHS = [
  '/_/ipxe?mac=52:54:00:00:01:01&arch=0',
  '/_/ipxe?mac=52:54:00:0f:42:40&uuid=4b37128e-6e72-4a8d-87da-5254000f4240',
  '/_/file?name=00000000000000000000000000000000&type=kernel&mac=52:54:00:00:01:01',
  '/_/booting?mac=52:54:00:00:01:01',
  '/_/booting/52-54-00-00-01-01',
  '/_/up?token=AAAAAAAAAAAAAAAAAAAAAA',
  '/config/4b37128e-6e72-4a8d-87da-8ad4d775582c?nonce=AAAAAAAAAAAAAAAAAAAAAA',
  '/certs',
  '/boot/snponly.efi',
  '/boot/52-54-00-00-01-01/snponly.efi',
  '/boot/../../../../etc/passwd',
  '/boot/..%2f..%2f..%2fetc%2fpasswd',
  '/boot/%00',
  '/%ff%fe',
  '//',
  '*',
];
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'PRI', 'get', ''];
const HEADERS = [
  'Range: bytes=0-',
  'Range: bytes=999999999999-1',
  'Range: bytes=0-1,2-3,4-5',
  'Range: bytes=-18446744073709551616',
  'Content-Length: 99999999999',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 4',
  'Expect: 100-continue',
  'Upgrade: h2c\r\nConnection: upgrade',
  'If-None-Match: *',
  'Connection: keep-alive',
];

function request(): string {
  const lines = [`${pick(METHODS)} ${pick(PATHS)} HTTP/${pick(['1.1', '1.1', '1.1', '1.0', '2.0', '9'])}`, 'Host: x'];
  for (let i = random(4); i > 0; i -= 1) lines.push(pick(HEADERS) ?? '');
  const text = `${lines.join('\r\n')}\r\n\r\n`;
  const at = random(text.length);
  switch (random(10)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + junk(1 + random(20)) + text.slice(at);
    case 2:
      return junk(1 + random(2000));
    case 3:
      return `GET /${'a'.repeat(random(200_000))} HTTP/1.1\r\n\r\n`;
    case 4:
      return `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(random(3000))}\r\n`;
    case 5:
      return text.repeat(1 + random(30));
    default:
      return text;
  }
}

/** One connection; some are left open until the server ends them, or 2 s have passed. */
function once(): Promise<void> {
  return new Promise((resolve) => {
    const localAddress = sources.replace(/0$/, String(1 + random(254)));
    const socket = connect({ port: Number(port), host: address, localAddress });
    let heard = false;
    // Not the socket's own timeout: that, and a socket that reads nothing, would let this process end.
    const late = setTimeout(() => socket.destroy(), 2_000);
    socket.on('data', (data) => {
      if (!heard) {
        const status = /^HTTP\/1\.1 (\d{3})/.exec(data.toString('latin1', 0, 16))?.[1] ?? 'no status';
        answers.set(status, (answers.get(status) ?? 0) + 1);
      }
      heard = true;
      // Some never read on, some leave in the middle, some stay.
      if (random(3) === 0) socket.destroy();
      else if (random(20) === 0) socket.pause();
    });
    socket.on('error', (error) => {
      if (error.message.includes('ECONNREFUSED')) refused += 1;
      // Honest clients would be without one, too.
      if (error.message.includes('EADDRNOTAVAIL')) throw error;
    });
    socket.on('close', () => {
      clearTimeout(late);
      resolve();
    });
    socket.on('connect', () => {
      socket.write(Buffer.from(request(), 'latin1'));
      if (random(50) !== 0) socket.end();
      done += 1;
    });
  });
}

async function client(): Promise<void> {
  while (done < Number(count) && Date.now() < until) await once();
}

await Promise.all(Array.from({ length: PARALLEL }, client));
console.log(JSON.stringify({ requests: done, refused, answers: Object.fromEntries(answers) }));
