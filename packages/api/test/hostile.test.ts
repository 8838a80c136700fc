import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { MockClock } from '@ingot/net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ApiError, Code, createClient, infraV2, Refusal, toBinary, create } from '../src/index.ts';
import { ca, startServer, until, uuid, type TestServer, type TestServerOptions } from './support.ts';

const BOOT = '/metalstack.infra.v2.BootService/Boot';
const REGISTER = '/metalstack.infra.v2.BootService/Register';
const WAIT = '/metalstack.infra.v2.BootService/Wait';
const mac = '52:54:00:12:34:56';
const good = { authorization: 'Bearer good' };
const grpc = { 'content-type': 'application/grpc+proto', te: 'trailers' };
const json = { 'content-type': 'application/json' };

interface Answer {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  /** How the stream was ended; 0 is without an error. */
  readonly code: number | undefined;
}

/** A session that is gone when the test is. */
function session(url: string, options: object = {}): ClientHttp2Session {
  const made = connect(url, { ca, maxSessionMemory: 256, ...options });
  made.on('error', () => undefined);
  onTestFinished(() => made.destroy());
  return made;
}

interface Asked {
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
  /** The end of the request never comes. */
  readonly isUnfinished?: boolean;
}

/** Sends a request and answers what becomes of its stream, whoever ends it. */
function ask(on: ClientHttp2Session, { path, headers, body, isUnfinished = false }: Asked): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const stream = on.request({ ':method': 'POST', ':path': path, ...headers });
  const chunks: Buffer[] = [];
  const seen: OutgoingHttpHeaders = {};
  stream.on('response', (response) => Object.assign(seen, response));
  stream.on('trailers', (trailers) => Object.assign(seen, trailers));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined);
  stream.on('close', () =>
    resolve({ headers: seen, body: Buffer.concat(chunks).toString('latin1'), code: stream.rstCode }),
  );
  if (isUnfinished) stream.write(body);
  else stream.end(body);
  return promise;
}

const frame = (message: Uint8Array, length = message.length, flags = 0): Buffer => {
  const prefix = Buffer.alloc(5, flags);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
};
const boot = frame(
  toBinary(
    infraV2.BootServiceBootRequestSchema,
    create(infraV2.BootServiceBootRequestSchema, { mac, partition: 'lab' }),
  ),
);

/** A server whose refusals are to be seen. */
async function watched(given: TestServerOptions = {}): Promise<TestServer & { readonly refusals: string[] }> {
  const refusals: string[] = [];
  const server = await startServer({
    boot: { boot: () => ({ kernel: 'http://x/k' }), register: () => ({}) },
    ...given,
    options: {
      onRefusal: (refusal) => refusals.push(refusal),
      ...given.options,
    },
  });
  return Object.assign(server, { refusals });
}

/** Lets time go by until `condition` holds; that of the test is bounded. */
const passTime = (clock: MockClock, condition: () => boolean, stepMs = 1_000): Promise<void> =>
  until(() => {
    void clock.advance(stepMs);
    return condition();
  });

/** A Wait stream that says something once, and then nothing until its client leaves. */
const waiting: TestServerOptions['boot'] = {
  boot: () => ({ kernel: 'http://x/k' }),
  async *wait(_request, { signal }) {
    yield { allocation: { name: 'here' } };
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  },
};

describe('a stranger', () => {
  const garbage = Buffer.alloc(2 * 1024 * 1024, 0xff);
  const options = {
    options: {
      authenticate: (bearer: string | undefined) => bearer ?? 'nobody',
      refuseStrangers({ caller }: { readonly caller: string }) {
        if (caller === 'nobody') throw new ApiError(Code.Unauthenticated, 'a token is needed');
      },
    },
  };

  test('is refused before anybody unpacks what it sends, and told so in each protocol', async () => {
    await using api = await watched(options);
    const on = session(api.url);
    const refused = await ask(on, { path: REGISTER, headers: grpc, body: frame(garbage) });
    expect(refused.headers).toMatchObject({ 'grpc-status': `${Code.Unauthenticated}` });
    for (const type of ['application/json', 'application/proto']) {
      const answer = await ask(on, { path: REGISTER, headers: { 'content-type': type }, body: garbage });
      expect(answer).toMatchObject({ headers: { ':status': 401 }, code: 0 });
    }
    const web = { 'content-type': 'application/grpc-web+proto' };
    const answer = await ask(on, { path: REGISTER, headers: web, body: frame(garbage) });
    expect(`${answer.body}${JSON.stringify(answer.headers)}`).toMatch(/grpc-status"?: ?"?16/);
    expect(api.calls.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'Unauthenticated'));
  });
});

describe('a request that is too much', () => {
  test.each([
    // grpc-js refuses by itself what is longer than anything may be.
    ['gRPC', grpc, frame, ['ResourceExhausted']],
    [
      'Connect',
      { 'content-type': 'application/proto' },
      (body: Uint8Array) => body,
      ['ResourceExhausted', 'ResourceExhausted'],
    ],
    ['gRPC-Web', { 'content-type': 'application/grpc-web+proto' }, frame, ['ResourceExhausted', 'ResourceExhausted']],
  ])(
    'in its length or its values is refused in words over %s, and its stream ends',
    async (_name, headers, pack, counted) => {
      await using api = await watched();
      const on = session(api.url);
      const register = { path: REGISTER, headers: { ...headers, ...good } };
      // 200,000 empty cards; field 2 is the hardware.
      const cards = Buffer.from('2200'.repeat(200_000), 'hex');
      const length = Buffer.from([
        0x12,
        (cards.length & 0x7f) | 0x80,
        ((cards.length >> 7) & 0x7f) | 0x80,
        cards.length >> 14,
      ]);
      for (const body of [Buffer.concat([length, cards]), Buffer.alloc(5 * 1024 * 1024)]) {
        const answer = await ask(on, { ...register, body: pack(body) });
        const said = decodeURIComponent(`${JSON.stringify(answer.headers)}${answer.body.replaceAll('%', '%25')}`);
        expect(said).toMatch(/resource_exhausted|grpc-status"?: ?"?8/);
        expect(answer.code).toBe(0);
      }
      expect(api.calls.map(({ code }) => code)).toEqual(counted);
      // The connection is as good as before.
      expect(
        await ask(on, { path: BOOT, headers: { ...json, ...good }, body: Buffer.from('{"mac":""}') }),
      ).toMatchObject({
        headers: { ':status': 400 },
        code: 0,
      });
      expect(on.closed).toBe(false);
    },
  );

  test('when it is unpacked is not unpacked', async () => {
    await using api = await watched();
    const on = session(api.url);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    const small = gzipSync(JSON.stringify({ mac, partition: 'lab' }));
    const packed = { ...json, ...good, 'content-encoding': 'gzip' };
    expect((await ask(on, { path: BOOT, headers: packed, body: bomb })).headers[':status']).toBe(429);
    expect((await ask(on, { path: BOOT, headers: packed, body: small })).headers[':status']).toBe(200);
    const grpcPacked = { ...grpc, ...good, 'grpc-encoding': 'gzip' };
    expect(
      (await ask(on, { path: BOOT, headers: grpcPacked, body: frame(bomb, bomb.length, 1) })).headers,
    ).toMatchObject({
      'grpc-status': `${Code.ResourceExhausted}`,
    });
  });
});

describe('requests that do not come to their end', () => {
  test('are given up in time, whatever the protocol', async () => {
    const clock = new MockClock();
    await using api = await watched({ options: { clock } });
    const on = session(api.url);
    const answers: Answer[] = [];
    const drip = { path: BOOT, body: boot.subarray(0, 9), isUnfinished: true };
    for (const headers of [grpc, json])
      void ask(on, { ...drip, headers: { ...headers, ...good } }).then((one) => answers.push(one));
    await passTime(clock, () => answers.length === 2);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000);
    const [said] = [JSON.stringify(answers)];
    expect(said).toContain(`"grpc-status":"${Code.DeadlineExceeded}"`);
    expect(said).toContain('deadline_exceeded');
    expect(answers.map(({ code }) => code)).toEqual([0, 0]);
    // A whole message without the end of its stream is none.
    const open = ask(on, { path: BOOT, body: boot, isUnfinished: true, headers: { ...grpc, ...good } });
    let ended = false;
    void open.then(() => (ended = true));
    await passTime(clock, () => ended);
    expect((await open).headers).toMatchObject({ 'grpc-status': `${Code.DeadlineExceeded}` });
  });

  test('give way, the oldest and longest first, when together they are too many', async () => {
    await using api = await watched({ options: { limits: { maxUnfinishedBytes: 1024 * 1024 } } });
    const holder = session(api.url);
    const half = frame(Buffer.alloc(256 * 1024), 1024 * 1024);
    const held = Array.from({ length: 10 }, () =>
      ask(holder, { path: REGISTER, headers: { ...grpc, ...good }, body: half, isUnfinished: true }),
    );
    expect((await Promise.race(held)).headers).toMatchObject({
      'grpc-status': `${Code.ResourceExhausted}`,
      'grpc-message': expect.stringContaining('unfinished'),
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    for (let count = 0; count < 5; count += 1)
      expect((await client.boot({ mac, partition: 'lab' })).kernel).toBe('http://x/k');
    client.close();
    holder.destroy();
  });
});

describe('connections', () => {
  test('without a call are closed after a while, and those that wait are not', async () => {
    const clock = new MockClock();
    await using api = await watched({ boot: waiting, options: { clock } });
    const [idle, busy] = [session(api.url), session(api.url)];
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const messages = client.wait({ uuid })[Symbol.asyncIterator]();
    await messages.next();
    await ask(idle, { path: BOOT, headers: { ...json, ...good }, body: Buffer.from('{}') });
    let open = true;
    void ask(busy, { path: WAIT, headers: { ...grpc, ...good }, body: frame(Buffer.from(`\n$${uuid}`)) }).then(
      () => (open = false),
    );
    await until(() => api.calls.length === 1);
    await passTime(clock, () => idle.closed || idle.destroyed, 5_000);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(300_000);
    await clock.advance(600_000);
    expect(open).toBe(true);
    expect(busy.closed).toBe(false);
    await messages.return?.();
    client.close();
  });

  test('that say nothing make room for those that do', async () => {
    const clock = new MockClock();
    await using api = await watched({ boot: waiting, options: { clock, limits: { maxConnections: 3 } } });
    const silent = [1, 2].map(() => connectTcp({ host: '127.0.0.1', port: Number(new URL(api.url).port) }));
    onTestFinished(() => silent.forEach((socket) => socket.destroy()));
    const gone = silent.map((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      return new Promise((resolve) => socket.once('close', resolve));
    });
    const waiters = [1, 2, 3].map(() => createClient(infraV2.BootService, { url: api.url, ca, token: 'good' }));
    const streams = waiters.map((client) => client.wait({ uuid })[Symbol.asyncIterator]());
    await streams[0]?.next();
    await clock.advance(1_000);
    await streams[1]?.next();
    await streams[2]?.next();
    await Promise.all(gone);
    expect(api.refusals).toEqual([Refusal.MadeRoom, Refusal.MadeRoom]);
    // Now everybody has something to do.
    const late = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    await expect(late.boot({ mac, partition: 'lab' }, { timeoutMs: 2_000 })).rejects.toThrow(ApiError);
    await until(() => api.refusals.includes(Refusal.Full));
    await streams[0]?.return?.();
    await clock.advance(1_000);
    let kernel: string | undefined;
    const tryAgain = async (): Promise<void> => {
      while (kernel === undefined) {
        await clock.advance(1_000);
        const answer = await late.boot({ mac, partition: 'lab' }).catch(() => undefined);
        kernel = answer?.kernel;
      }
    };
    await tryAgain();
    expect(kernel).toBe('http://x/k');
    for (const client of [...waiters, late]) client.close();
  });

  test('that ask nothing to the end make room, too', async () => {
    const clock = new MockClock();
    await using api = await watched({ boot: waiting, options: { clock, limits: { maxConnections: 2 } } });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const messages = client.wait({ uuid })[Symbol.asyncIterator]();
    await messages.next();
    const holder = session(api.url);
    const closed = new Promise((resolve) => holder.once('close', resolve));
    // What the server answers after it has come after it, too.
    void ask(holder, { path: BOOT, headers: { ...grpc, ...good }, body: boot.subarray(0, 7), isUnfinished: true });
    expect((await ask(holder, { path: BOOT, headers: { ...json }, body: Buffer.from('{}') })).headers[':status']).toBe(
      401,
    );
    await clock.advance(1_000);
    const late = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    expect((await late.boot({ mac, partition: 'lab' })).kernel).toBe('http://x/k');
    await closed;
    expect(api.refusals).toEqual([Refusal.MadeRoom]);
    await messages.return?.();
    for (const one of [client, late]) one.close();
  });

  test.each([
    ['of one stream', { initialWindowSize: 0 }],
    ['of the connection', undefined],
  ])('whose client takes nothing of its answer are closed, by the window %s', async (_what, settings) => {
    const clock = new MockClock();
    let yielded = 0;
    await using api = await watched({
      boot: {
        async *wait() {
          for (; ; yielded += 1) yield { allocation: { userdata: 'x'.repeat(256 * 1024) } };
        },
      },
      options: { clock },
    });
    const on = session(api.url, settings === undefined ? {} : { settings });
    const stream = on.request({ ':method': 'POST', ':path': WAIT, ...grpc, ...good });
    stream.on('error', () => undefined);
    // Nobody reads it: what Node keeps is its window.
    stream.pause();
    stream.end(frame(Buffer.from(`\n$${uuid}`)));
    await passTime(clock, () => on.destroyed);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
    expect(api.refusals).toEqual([Refusal.Stalled]);
    expect(yielded).toBeLessThan(50);
  });

  test('of HTTP/1.1 whose client takes nothing of its answer are closed, too', async () => {
    const clock = new MockClock();
    await using api = await watched({
      boot: {
        async *wait() {
          for (;;) yield { allocation: { userdata: 'x'.repeat(256 * 1024) } };
        },
      },
      options: { clock },
    });
    const socket = await http1(api.url);
    socket.pause();
    const message = frame(Buffer.from(JSON.stringify({ uuid })));
    const head = `POST ${WAIT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-type: application/connect+json\r\ncontent-length: ${message.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), message]));
    await passTime(clock, () => api.refusals.length > 0);
    expect(api.refusals).toEqual([Refusal.Stalled]);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
    await until(() => api.calls.length === 1);
  });

  test('of HTTP/1.1 may not hold more calls than any client makes', async () => {
    await using api = await watched({ boot: waiting });
    const socket = await http1(api.url);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const message = frame(Buffer.from(JSON.stringify({ uuid })));
    const head = `POST ${WAIT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-type: application/connect+json\r\ncontent-length: ${message.length}\r\n\r\n`;
    socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.concat([Buffer.from(head), message]))));
    await closed;
    expect(api.refusals).toEqual([Refusal.Pipelined]);
    expect(api.calls.length).toBeLessThan(20);
  });

  test('of HTTP/1.1 with a request that is refused are closed with its answer', async () => {
    await using api = await watched();
    const socket = await http1(api.url);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(
      `POST ${BOOT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 4000000\r\n\r\n{`,
    );
    await closed;
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
  });
});

async function http1(url: string): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(url).port), ca, ALPNProtocols: ['http/1.1'] });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return socket;
}
