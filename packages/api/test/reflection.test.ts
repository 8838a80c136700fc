import { connect, constants } from 'node:http2';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { bindService, Code, infraV2, reflectionServices, type BoundService } from '../src/index.ts';
import { callForeign, foreignClient, foreignMethods, methodsIn, talk, type Talk } from './foreign-client.ts';
import { definitionOf, field, filesOf } from './learn-methods.ts';
import { ca, startServer, until, type TestServer } from './support.ts';

const v1 = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const v1alpha = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';
const reflection = foreignMethods('grpc/reflection/v1/reflection.proto', 'grpc/reflection/v1alpha/reflection.proto');

/** The boot service and reflection. Nobody has a token. */
async function startReflecting(options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> {
  const boot = bindService<typeof infraV2.BootService, string>(infraV2.BootService, {
    boot: ({ mac }) => ({ kernel: `http://kernel-of/${mac}` }),
  });
  const services: BoundService<string>[] = [boot, ...reflectionServices([boot])];
  return startServer({
    options: { services, authenticate: () => 'anybody', authorize: () => undefined, ...options.options },
  });
}

describe.each([v1, v1alpha])('%s', (path) => {
  test('gives a client without proto files what it needs to call a method', async () => {
    await using api = await startReflecting();
    const client = foreignClient(api.url, ca);
    const asking = talk(client, reflection.get(path));
    asking.ask({ host: 'rack', list_services: '*' });
    const listed = await asking.next();
    expect(listed).toMatchObject({ valid_host: 'rack', original_request: { host: 'rack', list_services: '*' } });
    const names = field(listed, 'list_services_response', 'service');
    expect(names).toEqual(
      [
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        infraV2.BootService.typeName,
      ].map((name) => ({ name })),
    );

    asking.ask({ file_containing_symbol: infraV2.BootService.typeName });
    const learnt = methodsIn(definitionOf(filesOf(await asking.next())));
    asking.hangUp();
    expect((await asking.ended).code).toBe(0);
    const boot = learnt.get('/metalstack.infra.v2.BootService/Boot');
    const answer = await callForeign(client, boot, { mac: '52:54:00:12:34:56', partition: 'lab' });
    expect(answer).toMatchObject({ kernel: 'http://kernel-of/52:54:00:12:34:56' });
    client.close();
  });

  test('finds what is asked for by file, method, nested type and extension, and says what is not there', async () => {
    await using api = await startReflecting();
    const client = foreignClient(api.url, ca);
    const asking = talk(client, reflection.get(path));
    const found = async (request: object): Promise<number> => {
      asking.ask(request);
      return filesOf(await asking.next()).length;
    };
    expect(await found({ file_by_filename: 'metalstack/infra/v2/boot.proto' })).toBeGreaterThan(3);
    // Its imports were sent before.
    expect(await found({ file_containing_symbol: 'metalstack.infra.v2.BootService.Boot' })).toBe(1);
    expect(await found({ file_containing_symbol: '.metalstack.api.v2.Machine' })).toBe(1);
    const option = { containing_type: 'google.protobuf.MethodOptions', extension_number: 51_002 };
    expect(await found({ file_containing_extension: option })).toBe(1);

    asking.ask({ all_extension_numbers_of_type: 'google.protobuf.MethodOptions' });
    const numbers = field(await asking.next(), 'all_extension_numbers_response');
    expect(numbers).toEqual({
      base_type_name: 'google.protobuf.MethodOptions',
      extension_number: [51_000, 51_001, 51_002, 51_003, 51_004, 51_005, 51_006],
    });

    for (const [request, error_code] of [
      [{ file_by_filename: '../../etc/passwd' }, Code.NotFound],
      [{ file_containing_symbol: 'metalstack.infra.v2.NoService' }, Code.NotFound],
      [{ file_containing_symbol: '__proto__' }, Code.NotFound],
      [{ file_containing_extension: { ...option, extension_number: 1 } }, Code.NotFound],
      [{ all_extension_numbers_of_type: 'no.such.Type' }, Code.NotFound],
      [{}, Code.InvalidArgument],
    ] as const) {
      asking.ask(request);
      expect(await asking.next(), JSON.stringify(request)).toMatchObject({ error_response: { error_code } });
    }
    asking.hangUp();
    expect((await asking.ended).code).toBe(0);
    client.close();
  });
});

describe('a stream of requests', () => {
  const ended = async (asking: Talk): Promise<{ readonly code: number; readonly details: string }> => {
    while ((await asking.next()) !== undefined);
    return asking.ended;
  };

  test('is ended with its reason when a request is too long, or garbage', async () => {
    await using api = await startReflecting();
    const client = foreignClient(api.url, ca);
    const long = talk(client, reflection.get(v1));
    long.ask({ file_containing_symbol: 'x'.repeat(16 * 1024) });
    expect(await ended(long)).toMatchObject({
      code: Code.ResourceExhausted,
      details: expect.stringContaining('16384 bytes at most'),
    });
    const garbage = talk(client, reflection.get(v1));
    garbage.askRaw(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(await ended(garbage)).toMatchObject({
      code: Code.InvalidArgument,
      details: expect.stringContaining('cannot read grpc.reflection.v1.ServerReflectionRequest'),
    });
    const huge = talk(client, reflection.get(v1));
    huge.ask({ file_containing_symbol: 'x'.repeat(5 * 1024 * 1024) });
    expect((await ended(huge)).code).toBe(Code.ResourceExhausted);
    client.close();
  });

  test('takes so many and no more', async () => {
    await using api = await startReflecting({ options: { limits: { maxStreamRequests: 3 } } });
    const client = foreignClient(api.url, ca);
    const asking = talk(client, reflection.get(v1));
    for (let count = 0; count < 4; count += 1) asking.ask({ list_services: '' });
    for (let count = 0; count < 3; count += 1) expect(await asking.next()).toHaveProperty('list_services_response');
    expect(await ended(asking)).toEqual({
      code: Code.ResourceExhausted,
      details: 'a stream takes 3 requests: go on in another one',
    });
    client.close();
  });

  test('is ended when nothing comes, at its start or later, and its call is counted', async () => {
    const clock = new MockClock();
    await using api = await startReflecting({ options: { clock } });
    const client = foreignClient(api.url, ca);
    const asking = talk(client, reflection.get(v1));
    asking.ask({ list_services: '' });
    await asking.next();
    await clock.advance(29_000);
    asking.ask({ list_services: '' });
    await asking.next();
    await clock.advance(29_999);
    expect(api.calls).toEqual([]);
    await clock.advance(1);
    expect(await ended(asking)).toMatchObject({ code: Code.DeadlineExceeded });
    expect(api.calls).toMatchObject([{ method: v1, code: 'DeadlineExceeded' }]);
    client.close();
  });

  test('ends with its client', async () => {
    await using api = await startReflecting();
    const client = foreignClient(api.url, ca);
    const asking = talk(client, reflection.get(v1));
    asking.ask({ list_services: '' });
    await asking.next();
    asking.cancel();
    await until(() => api.calls.length === 1);
    expect(api.calls).toMatchObject([{ method: v1 }]);
    client.close();
  });

  test('ends with the server', async () => {
    const api = await startReflecting();
    const client = foreignClient(api.url, ca);
    const asking = talk(client, reflection.get(v1));
    asking.ask({ list_services: '' });
    await asking.next();
    await api.server.stop();
    expect(await ended(asking)).toMatchObject({ code: Code.Unavailable });
    client.close();
  });

  test('is served over Connect too, with the same bounds', async () => {
    await using api = await startReflecting({ options: { limits: { stopTimeoutMs: 100 } } });
    const ask = (...requests: object[]): Promise<string> =>
      send('json', ...requests.map((request) => Buffer.from(JSON.stringify(request))));
    const send = (type: string, ...messages: Buffer[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const session = connect(api.url, { ca });
        session.on('error', reject);
        const stream = session.request({
          [constants.HTTP2_HEADER_METHOD]: 'POST',
          [constants.HTTP2_HEADER_PATH]: v1,
          'content-type': `application/connect+${type}`,
        });
        for (const message of messages) {
          const head = Buffer.alloc(5);
          head.writeUInt32BE(message.length, 1);
          stream.write(Buffer.concat([head, message]));
        }
        stream.end();
        let text = '';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
        stream.on('end', () => {
          session.destroy();
          resolve(text);
        });
        stream.on('error', reject);
      });
    expect(await ask({ listServices: '' }, { fileByFilename: 'no.proto' })).toMatch(
      /metalstack\.infra\.v2\.BootService.*there is no file \\"no\.proto\\"/s,
    );
    expect(await ask({ fileByFilename: 'x'.repeat(20_000) })).toContain('resource_exhausted');
    // Garbage is no bug of ours.
    expect(await send('proto', Buffer.from([0x5e, 0xff]))).toContain('invalid_argument');
    expect(api.calls.map(({ code }) => code)).toEqual(['Ok', 'ResourceExhausted', 'InvalidArgument']);
  });
});
