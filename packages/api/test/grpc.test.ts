import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError, apiV2, Code, create, createChannel, createClient, infraV2 } from '../src/index.ts';
import { ca, failure, otherCa, startServer, until, uuid } from './support.ts';

const mac = '52:54:00:12:34:56';

describe('unary calls over gRPC', () => {
  test('carry request and answer, and the context of the call', async () => {
    let seen: unknown;
    await using api = await startServer({
      boot: {
        boot: (request, context) => {
          seen = { mac: request.mac, caller: context.caller, peer: context.peer, aborted: context.signal.aborted };
          return { kernel: 'http://x/k', initRamDisks: ['http://x/i'], cmdline: 'quiet' };
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const answer = await client.boot({ mac, partition: 'lab' });
    expect(answer.kernel).toBe('http://x/k');
    expect(answer.initRamDisks).toEqual(['http://x/i']);
    expect(answer.cmdline).toBe('quiet');
    expect(seen).toMatchObject({
      mac,
      caller: 'good',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      aborted: false,
    });
    expect(api.calls).toMatchObject([{ method: '/metalstack.infra.v2.BootService/Boot', code: 'Ok' }]);
    client.close();
  });

  test('reach a server by its IPv6 address, which the certificate has to carry', async () => {
    await using api = await startServer({
      boot: { boot: (_request, { peer }) => ({ kernel: peer, initRamDisks: [], cmdline: '' }) },
      options: { listen: ['[::1]:0'] },
    });
    expect(api.url).toMatch(/^https:\/\/\[::1\]:\d+$/);
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    expect((await client.boot({ mac, partition: 'lab' })).kernel).toContain('::1');
    client.close();
  });

  test('reject with the code and the words that the handler chose', async () => {
    await using api = await startServer({
      boot: {
        boot: () => {
          throw new ApiError(Code.FailedPrecondition, 'partition "lab" is closed: ring the bell (ä)');
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const error = await failure(client.boot({ mac, partition: 'lab' }));
    expect(error.codeName).toBe('FailedPrecondition');
    expect(error.message).toBe('partition "lab" is closed: ring the bell (ä)');
    client.close();
  });

  test('show nothing of an unexpected error but the number of the call', async () => {
    await using api = await startServer({
      boot: {
        boot: () => {
          throw new Error('password is swordfish');
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const error = await failure(client.boot({ mac, partition: 'lab' }));
    expect(error.code).toBe(Code.Internal);
    expect(error.message).not.toContain('swordfish');
    expect(error.message).toContain(api.calls[0]?.requestId);
    expect(String(api.calls[0]?.error?.cause)).toContain('swordfish');
    client.close();
  });

  test('name every bad field at once', async () => {
    await using api = await startServer({ boot: { boot: () => ({}) } });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const error = await failure(client.boot({ mac: '52-54', partition: 'x' }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.message).toContain('mac must be a MAC address');
    expect(error.message).toContain('partition must have 2 to 128 characters, not 1');
    client.close();
  });

  test('fail as unauthenticated without a token, and as denied with one that is not enough', async () => {
    await using api = await startServer({ boot: { boot: () => ({}) } });
    const none = createClient(infraV2.BootService, { url: api.url, ca });
    const poor = createClient(infraV2.BootService, { url: api.url, ca, token: 'poor' });
    expect((await failure(none.boot({ mac, partition: 'lab' }))).code).toBe(Code.Unauthenticated);
    expect((await failure(poor.boot({ mac, partition: 'lab' }))).code).toBe(Code.PermissionDenied);
    none.close();
    poor.close();
  });

  test('of a method without handler fail as unimplemented, with its name', async () => {
    await using api = await startServer();
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const error = await failure(client.dhcp({ uuid, partition: 'lab' }));
    expect(error.code).toBe(Code.Unimplemented);
    expect(error.message).toContain('/metalstack.infra.v2.BootService/Dhcp');
    client.close();
  });

  test('end at their deadline on both sides', async () => {
    let reason: unknown;
    await using api = await startServer({
      boot: {
        boot: (_request, { signal }) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              reason = signal.reason;
              reject(signal.reason);
            }),
          ),
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    // The first call opens the connection, which may take its time.
    await failure(client.dhcp({ uuid, partition: 'lab' }));
    const error = await failure(client.boot({ mac, partition: 'lab' }, { timeoutMs: 1_000 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await until(() => reason !== undefined);
    client.close();
  });

  test('cancelled by the client reach the handler', async () => {
    let cancelled = false;
    const caller = new AbortController();
    await using api = await startServer({
      boot: {
        boot: (_request, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              cancelled = true;
              reject(signal.reason);
            });
            caller.abort(new Error('changed my mind'));
          }),
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const error = await failure(client.boot({ mac, partition: 'lab' }, { signal: caller.signal }));
    expect(error.code).toBe(Code.Canceled);
    expect(error.cause).toBeInstanceOf(Error);
    await until(() => cancelled);
    client.close();
  });

  test('too long for the server are refused, and the server goes on', async () => {
    await using api = await startServer({ event: { send: () => ({ events: 1n }) } });
    const client = createClient(infraV2.EventService, { url: api.url, ca, token: 'good', maxMessageBytes: 2 ** 24 });
    const events = {
      [uuid]: create(apiV2.MachineProvisioningEventSchema, { event: 1, message: 'x'.repeat(5 * 1024 * 1024) }),
    };
    expect((await failure(client.send({ events }))).code).toBe(Code.ResourceExhausted);
    expect((await client.send({ events: {} })).events).toBe(1n);
    client.close();
  });
});

describe('streams over gRPC', () => {
  test('deliver messages and end', async () => {
    await using api = await startServer({
      boot: {
        async *wait() {
          yield { allocation: { name: 'one' } };
          yield { allocation: { name: 'two' } };
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const names = [];
    for await (const message of client.wait({ uuid })) names.push(message.allocation?.name);
    expect(names).toEqual(['one', 'two']);
    client.close();
  });

  test('are authenticated and authorised like every call', async () => {
    await using api = await startServer({
      boot: {
        async *wait() {
          yield {};
        },
      },
    });
    for (const [token, code] of [
      [undefined, Code.Unauthenticated],
      ['poor', Code.PermissionDenied],
    ] as const) {
      const client = createClient(infraV2.BootService, { url: api.url, ca, ...(token === undefined ? {} : { token }) });
      expect((await failure(Array.fromAsync(client.wait({ uuid })))).code).toBe(code);
      client.close();
    }
  });

  test('stop the handler when the client leaves the loop', async () => {
    let left = false;
    await using api = await startServer({
      boot: {
        async *wait(_request, { signal }) {
          try {
            yield { allocation: { name: 'one' } };
            await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          } finally {
            left = true;
          }
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    for await (const message of client.wait({ uuid })) {
      expect(message.allocation?.name).toBe('one');
      break;
    }
    await until(() => left && api.calls.length === 1);
    expect(api.calls[0]?.code).toBe('Canceled');
    client.close();
  });

  test('wait for a slow consumer instead of filling memory', async () => {
    let sent = 0;
    const userdata = 'x'.repeat(64 * 1024);
    await using api = await startServer({
      boot: {
        async *wait() {
          for (; sent < 2_000; sent += 1) yield { allocation: { userdata } };
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const messages = client.wait({ uuid })[Symbol.asyncIterator]();
    await messages.next();
    let before = -1;
    // Nobody reads: the server must come to rest long before 2 000 messages (128 MiB).
    while (before !== sent) {
      before = sent;
      for (let turn = 0; turn < 2_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(500);
    await messages.return?.();
    client.close();
  });

  test('end with Unavailable when the server stops', async () => {
    const api = await startServer({
      boot: {
        async *wait(_request, { signal }) {
          yield {};
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    const messages = client.wait({ uuid })[Symbol.asyncIterator]();
    await messages.next();
    const end = failure(Promise.resolve(messages.next()));
    await api.server.stop();
    expect((await end).code).toBe(Code.Unavailable);
    client.close();
  });
});

describe('the channel', () => {
  test('trusts only the given authority', async () => {
    await using api = await startServer({ boot: { boot: () => ({}) } });
    const client = createClient(infraV2.BootService, { url: api.url, ca: otherCa, token: 'good' });
    const error = await failure(client.boot({ mac, partition: 'lab' }, { timeoutMs: 20_000 }));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.message).toMatch(/^[^.;]*certificate[^.;]*$/); // none of what the gRPC library says around it
    client.close();
  });

  test('reconnects when the server is back', async () => {
    const first = await startServer({ boot: { boot: () => ({ kernel: 'http://first' }) } });
    const client = createClient(infraV2.BootService, { url: first.url, ca, token: 'good', maxReconnectDelayMs: 50 });
    expect((await client.boot({ mac, partition: 'lab' })).kernel).toBe('http://first');
    await first.server.stop();
    expect((await failure(client.boot({ mac, partition: 'lab' }))).code).toBe(Code.Unavailable);
    const listen = [first.url.replace('https://', '')];
    await using second = await startServer({
      boot: { boot: () => ({ kernel: 'http://second' }) },
      options: { listen },
    });
    expect(second.url).toBe(first.url);
    let kernel = '';
    while (kernel === '') {
      try {
        ({ kernel } = await client.boot({ mac, partition: 'lab' }));
      } catch (error) {
        expect(error).toMatchObject({ code: Code.Unavailable });
      }
    }
    expect(kernel).toBe('http://second');
    client.close();
  });

  test('reads the token file again when it has changed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingot-'));
    const tokenFile = join(directory, 'token');
    await using api = await startServer({ boot: { boot: () => ({}) } });
    const channel = createChannel({ url: api.url, ca, tokenFile });
    const client = createClient(infraV2.BootService, channel);
    expect((await failure(client.boot({ mac, partition: 'lab' }))).message).toContain(tokenFile);
    await writeFile(tokenFile, 'poor\n');
    expect((await failure(client.boot({ mac, partition: 'lab' }))).code).toBe(Code.PermissionDenied);
    await writeFile(`${tokenFile}.new`, 'good\n');
    await rename(`${tokenFile}.new`, tokenFile);
    await client.boot({ mac, partition: 'lab' });
    await rm(tokenFile);
    await client.boot({ mac, partition: 'lab' });
    channel.close();
    await rm(directory, { recursive: true });
  });

  test('reaches a server on a unix socket, with TLS', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingot-'));
    const peers: string[] = [];
    await using api = await startServer({
      boot: {
        boot: (_request, { peer }) => {
          peers.push(peer);
          return {};
        },
      },
      options: { listen: [`unix:${directory}/api.sock`] },
    });
    const client = createClient(infraV2.BootService, { url: api.url, ca, token: 'good' });
    await client.boot({ mac, partition: 'lab' });
    expect(peers).toEqual(['unix']);
    client.close();
    await api.server.stop();
    await rm(directory, { recursive: true });
  });

  test('refuses plain text addresses in words', () => {
    expect(() => createChannel({ url: 'http://10.0.0.1:9443', ca })).toThrow('write https://host:port or unix:/path');
  });
});
