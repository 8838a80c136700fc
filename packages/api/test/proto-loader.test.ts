import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect, test } from 'vitest';
import { ca, startServer, uuid } from './support.ts';

// A second implementation of protobuf reads the proto files themselves: what it sends must be what we understand.
const protoRoot = fileURLToPath(new URL('../../../proto', import.meta.url));
const definition = loadSync(['metalstack/infra/v2/boot.proto', 'metalstack/infra/v2/event.proto'], {
  includeDirs: [protoRoot],
  keepCase: true,
  longs: String,
  enums: String,
});

type Call = (
  request: object,
  metadata: Metadata,
  callback: (error: ServiceError | null, answer: unknown) => void,
) => void;

/** A method of a client that exists only at run time. */
function method(url: string, service: string, name: string): (request: object) => Promise<unknown> {
  let found: unknown = loadPackageDefinition(definition);
  for (const part of service.split('.')) found = Reflect.get(Object(found), part);
  if (typeof found !== 'function') throw new Error(`no ${service}`);
  const client: unknown = Reflect.construct(found, [
    url.replace('https://127.0.0.1', 'localhost'),
    credentials.createSsl(Buffer.from(ca)),
  ]);
  const call: unknown = Reflect.get(Object(client), name);
  const isCall = (value: unknown): value is Call => typeof value === 'function';
  if (!isCall(call)) throw new Error(`no ${name}`);
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer good');
  return (request) =>
    new Promise((resolve, reject) => {
      call.call(client, request, metadata, (error, answer) => {
        Reflect.apply(Reflect.get(Object(client), 'close'), client, []);
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
}

test('a proto-loader client and our server understand each other', async () => {
  let seen: unknown;
  await using api = await startServer({
    boot: {
      register(request) {
        seen = {
          uuid: request.uuid,
          memory: request.hardware?.memory,
          speed: request.hardware?.nics[0]?.speed,
          neighbor: request.hardware?.nics[0]?.neighbors[0]?.hostname,
          serial: request.fru?.productSerial,
          part: request.fru?.productPartNumber,
        };
        return { uuid: request.uuid, size: 'unknown', partition: request.partition };
      },
    },
    event: { send: ({ events }) => ({ events: BigInt(Object.keys(events).length), failed: ['x'] }) },
  });
  const register = method(api.url, 'metalstack.infra.v2.BootService', 'Register');
  const answer = await register({
    uuid,
    partition: 'lab',
    hardware: {
      memory: '68719476736',
      nics: [
        {
          mac: '52:54:00:00:00:01',
          name: 'eth0',
          speed: '100000000000',
          neighbors: [{ mac: '52:54:00:00:00:02', name: 'Eth1/1', hostname: 'leaf01' }],
        },
      ],
    },
    bios: {},
    fru: { product_serial: 'S1' },
  });
  expect(answer).toEqual({ uuid, size: 'unknown', partition: 'lab' });
  expect(seen).toEqual({
    uuid,
    memory: 68_719_476_736n,
    speed: 100_000_000_000n,
    neighbor: 'leaf01',
    serial: 'S1',
    part: undefined,
  });
  const send = method(api.url, 'metalstack.infra.v2.EventService', 'Send');
  const sent = await send({ events: { [uuid]: { event: 'MACHINE_PROVISIONING_EVENT_TYPE_WAITING', message: 'w' } } });
  expect(sent).toEqual({ events: '1', failed: ['x'] });
});
