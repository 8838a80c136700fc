import { connect, constants } from 'node:http2';
import { Server } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { mountGrpcServer } from '../src/server/grpc-adapter.ts';
import { ca, startServer } from './support.ts';

describe('the way into grpc-js', () => {
  test('is still there in the version that is installed', () => {
    expect(() => mountGrpcServer(new Server())).not.toThrow();
  });

  test('is missed in words when it is gone', () => {
    const server = new Server();
    Object.defineProperty(server, '_setupHandlers', { value: undefined });
    expect(() => mountGrpcServer(server)).toThrow('no Server._setupHandlers');
  });
});

/** Posts raw bytes as gRPC; resolves to the status of the trailers. */
function rawGrpc(url: string, path: string, body: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connect(url, { ca });
    session.on('error', reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_TE]: 'trailers',
      'content-type': 'application/grpc',
      authorization: 'Bearer good',
    });
    let status = 'none';
    const note = (headers: object): void => {
      const value: unknown = Reflect.get(headers, 'grpc-status');
      if (typeof value === 'string') status = value;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', () => undefined);
    stream.on('close', () => {
      session.close();
      resolve(status);
    });
    stream.resume();
    stream.end(body);
  });
}

/** gRPC's length-prefixed framing. */
function frame(message: Uint8Array, length = message.length): Uint8Array {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

describe('hostile gRPC bodies', () => {
  const path = '/metalstack.infra.v2.BootService/Boot';

  test('get a status each, and the server goes on', async () => {
    await using api = await startServer({ boot: { boot: () => ({}) } });
    const invalidArgument = '3';
    const resourceExhausted = '8';
    const unimplemented = '12';
    expect(await rawGrpc(api.url, path, frame(Uint8Array.of(0xff, 0xff, 0xff)))).toBe(invalidArgument);
    expect(await rawGrpc(api.url, path, frame(Uint8Array.of(), 2 ** 31))).toBe(resourceExhausted);
    expect(await rawGrpc(api.url, '/no.such.Service/Method', frame(Uint8Array.of()))).toBe(unimplemented);
    // Half a message, none, and two: grpc-js decides; what matters is that it ends, and with an error.
    for (const body of [frame(Uint8Array.of(1), 9), Uint8Array.of(), Uint8Array.of(0, 0)]) {
      expect(await rawGrpc(api.url, path, body)).not.toBe('0');
    }
    // An empty message is a valid encoding of invalid fields.
    expect(await rawGrpc(api.url, path, frame(Uint8Array.of()))).toBe(invalidArgument);
  });
});
