import { createClient as createConnectClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { create, type DescMessage, equals, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import { adminV2, apiV2, bindService, createChannel, createClient } from '../src/index.ts';
import { encodeInTurns } from '../src/server/encode-in-turns.ts';
import { ca, startServer } from './support.ts';

const machines = (count: number): apiV2.Machine[] =>
  Array.from({ length: count }, (_, n) =>
    create(apiV2.MachineSchema, { uuid: `machine-${n}`, rack: 'r'.repeat(n % 200), hardware: { memory: BigInt(n) } }),
  );

const bytesOf = async (schema: DescMessage, message: Message): Promise<Uint8Array> =>
  toBinary(schema, await encodeInTurns(schema, message));

test.each([0, 1, 64, 65, 128, 1_000])(
  'an answer with %i machines is what it is when encoded at once',
  async (count) => {
    const schema = adminV2.MachineServiceListResponseSchema;
    const answer = create(schema, { machines: machines(count) });
    const before = toBinary(schema, answer);
    const encoded = await bytesOf(schema, answer);
    expect(Buffer.from(encoded).equals(before)).toBe(true);
    expect(answer.machines).toHaveLength(count);
  },
);

test('lists with fields of two bytes, and whatever else is in the message, stay', async () => {
  const schema = apiV2.SwitchSchema;
  const nics = Array.from({ length: 130 }, (_, n) => ({ name: `Ethernet${n}`, mac: '00:00:00:00:00:01' }));
  const connections = nics.map((nic) => ({ machineId: 'm', nic }));
  const leaf = create(schema, { id: 'leaf', rack: 'r', nics, machineConnections: connections, os: { version: 'x' } });
  leaf.$unknown = [{ no: 1_000, wireType: WireType.Varint, data: Uint8Array.of(7) }];
  const decoded = fromBinary(schema, await bytesOf(schema, leaf));
  expect(equals(schema, decoded, leaf)).toBe(true);
  expect(decoded.$unknown).toEqual(leaf.$unknown);
});

test('others have their turns while an answer is encoded', async () => {
  const schema = adminV2.MachineServiceListResponseSchema;
  let turns = 0;
  const done = new AbortController();
  const others = (async () => {
    for (; !done.signal.aborted; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  })();
  await encodeInTurns(schema, create(schema, { machines: machines(640) }));
  done.abort();
  await others;
  expect(turns).toBeGreaterThanOrEqual(9);
});

test('clients of every protocol read a long answer', async () => {
  const list = machines(300);
  const service = bindService<typeof adminV2.MachineService, string>(adminV2.MachineService, {
    list: () => ({ machines: list }),
  });
  await using api = await startServer({ options: { services: [service] } });
  const baseUrl = api.url;
  const expected = list.map(({ uuid }) => uuid);
  const channel = createChannel({ url: baseUrl, ca, token: 'good' });
  const own = await createClient(adminV2.MachineService, channel).list({});
  channel.close();
  expect(own.machines.map(({ uuid }) => uuid)).toEqual(expected);
  const node = { baseUrl, nodeOptions: { ca } };
  for (const transport of [
    createConnectTransport({ ...node, httpVersion: '2', useBinaryFormat: true }),
    createConnectTransport({ ...node, httpVersion: '1.1', useBinaryFormat: false }),
    createGrpcWebTransport({ ...node, httpVersion: '1.1', useBinaryFormat: true }),
    createGrpcWebTransport({ ...node, httpVersion: '1.1', useBinaryFormat: false }),
    createGrpcTransport({ ...node }),
  ]) {
    const client = createConnectClient(adminV2.MachineService, transport);
    const answer = await client.list({}, { headers: { authorization: 'Bearer good' } });
    expect(answer.machines.map(({ uuid }) => uuid)).toEqual(expected);
  }
});
