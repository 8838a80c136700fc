import { request as httpsRequest } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { createClient as createConnectClient, ConnectError, Code as ConnectCode } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { infraV2 } from '../src/index.ts';
import { ca, startServer, uuid } from './support.ts';

const mac = '52:54:00:12:34:56';
const authorization = 'Bearer good';

const boot = {
  boot: () => ({ kernel: 'http://x/k', initRamDisks: ['http://x/i'] }),
  async *wait() {
    yield { allocation: { name: 'one' } };
    yield { allocation: { name: 'two' } };
  },
};

describe.each([
  [
    'Connect over HTTP/2',
    (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '2', nodeOptions: { ca } }),
  ],
  [
    'Connect over HTTP/1.1',
    (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1', nodeOptions: { ca } }),
  ],
  [
    'gRPC-Web over HTTP/1.1',
    (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1', nodeOptions: { ca } }),
  ],
  ['gRPC by another client', (baseUrl: string) => createGrpcTransport({ baseUrl, nodeOptions: { ca } })],
])('%s', (_name, transportTo) => {
  test('reaches the same handlers, unary and stream', async () => {
    await using api = await startServer({ boot });
    const client = createConnectClient(infraV2.BootService, transportTo(api.url));
    const options = { headers: { authorization } };
    expect((await client.boot({ mac, partition: 'lab' }, options)).kernel).toBe('http://x/k');
    const names = [];
    for await (const message of client.wait({ uuid }, options)) names.push(message.allocation?.name);
    expect(names).toEqual(['one', 'two']);
    expect(api.calls.map(({ code }) => code)).toEqual(['Ok', 'Ok']);
  });

  test('is authenticated and validated like everything else', async () => {
    await using api = await startServer({ boot });
    const client = createConnectClient(infraV2.BootService, transportTo(api.url));
    const denied = await client.boot({ mac, partition: 'lab' }).catch((error: unknown) => ConnectError.from(error));
    expect(denied).toMatchObject({ code: ConnectCode.Unauthenticated });
    const streamDenied = await Array.fromAsync(client.wait({ uuid })).catch((error: unknown) =>
      ConnectError.from(error),
    );
    expect(streamDenied).toMatchObject({ code: ConnectCode.Unauthenticated });
    const invalid = await client
      .boot({ mac: 'x', partition: 'lab' }, { headers: { authorization } })
      .catch((error: unknown) => ConnectError.from(error));
    expect(invalid).toMatchObject({ code: ConnectCode.InvalidArgument });
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function post(url: string, path: string, type: string, body: string | Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      new URL(path, url),
      { method: 'POST', ca, headers: { authorization, 'content-type': type }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

describe('plain JSON over HTTP/1.1', () => {
  const path = '/metalstack.infra.v2.BootService/Boot';

  test('is enough to make a call', async () => {
    await using api = await startServer({ boot });
    const answer = await post(api.url, path, 'application/json', JSON.stringify({ mac, partition: 'lab' }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ kernel: 'http://x/k', initRamDisks: ['http://x/i'] });
  });

  test('with garbage is refused, and the server goes on', async () => {
    await using api = await startServer({ boot });
    expect((await post(api.url, path, 'application/json', '{"mac": ')).status).toBe(400);
    const noProto = await post(api.url, path, 'application/proto', Uint8Array.of(0xff, 0xff, 0xff));
    expect([noProto.status, noProto.body]).toEqual([400, expect.stringContaining('invalid_argument')]);
    expect((await post(api.url, path, 'application/json', '{"mac": 5}')).body).toContain(
      'cannot read metalstack.infra.v2.BootServiceBootRequest',
    );
    expect(api.calls.map(({ code }) => code)).toEqual(['InvalidArgument', 'InvalidArgument', 'InvalidArgument']);
    expect((await post(api.url, path, 'text/plain', 'hello')).status).toBe(415);
    expect((await post(api.url, '/no.such.Service/Method', 'application/json', '{}')).status).toBe(404);
    expect((await post(api.url, path, 'application/json', JSON.stringify({ mac, partition: 'lab' }))).status).toBe(200);
  });

  test('that is too long is refused', async () => {
    await using api = await startServer({ boot });
    const body = JSON.stringify({ mac, partition: 'x'.repeat(5 * 1024 * 1024) });
    const answer = await post(api.url, path, 'application/json', body).catch((error: unknown) => error);
    // The server may hang up before the client has written all of it.
    expect(answer instanceof Error || JSON.stringify(answer).includes('resource_exhausted')).toBe(true);
    expect((await post(api.url, path, 'application/json', JSON.stringify({ mac, partition: 'lab' }))).status).toBe(200);
  });
});

describe('the TLS port', () => {
  const handshake = (url: string, options: object): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = tlsConnect({ host: '127.0.0.1', port: Number(new URL(url).port), ca, ...options }, () => {
        resolve(`${socket.getProtocol()} ${String(socket.alpnProtocol)}`);
        socket.destroy();
      });
      socket.on('error', reject);
    });

  test('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    await using api = await startServer({ boot });
    expect(await handshake(api.url, { ALPNProtocols: ['h2'] })).toBe('TLSv1.3 h2');
    expect(await handshake(api.url, { ALPNProtocols: ['http/1.1'], maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 http/1.1');
    await expect(
      handshake(api.url, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
  });
});
