import { connect as http2Connect } from 'node:http2';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { apiV2, create, infraV2, toBinary } from '@ingot/api';
import { expect, test, vi } from 'vitest';
import { machineA, startRig, until, type Rig } from './support.ts';

/** One message of gRPC, or of a stream of Connect, which frames its requests alike. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const WAIT = 'metalstack.infra.v2.BootService/Wait';
const COMMANDS = 'metalstack.infra.v2.BMCService/WaitForBMCCommand';
const bodies = {
  [WAIT]: framed(
    toBinary(infraV2.BootServiceWaitRequestSchema, create(infraV2.BootServiceWaitRequestSchema, { uuid: machineA })),
  ),
  [COMMANDS]: framed(
    toBinary(
      infraV2.WaitForBMCCommandRequestSchema,
      create(infraV2.WaitForBMCCommandRequestSchema, { partition: 'lab' }),
    ),
  ),
} as const;

async function connected(rig: Rig, protocol: 'h2' | 'http/1.1'): Promise<TLSSocket> {
  const { hostname, port } = new URL(rig.url);
  const socket = tlsConnect({ host: hostname, port: Number(port), ca: rig.ca, ALPNProtocols: [protocol] });
  socket.on('error', () => socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return socket;
}

/** Asks, and answers what cuts the connection as a host does that loses its power and is reset. */
async function askOverHttp2(rig: Rig, method: keyof typeof bodies): Promise<() => void> {
  const socket = await connected(rig, 'h2');
  const session = http2Connect(rig.url, { createConnection: () => socket });
  session.on('error', () => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': `/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${rig.adminToken}`,
  });
  stream.on('error', () => stream.destroy());
  stream.end(bodies[method]);
  return () => socket.destroy();
}

async function askOverHttp1(rig: Rig, method: keyof typeof bodies): Promise<() => void> {
  const socket = await connected(rig, 'http/1.1');
  const body = bodies[method];
  socket.write(
    `POST /${method} HTTP/1.1\r\nHost: api\r\nContent-Type: application/connect+proto\r\nAuthorization: Bearer ${rig.adminToken}\r\n` +
      `Connect-Protocol-Version: 1\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
  return () => socket.destroy();
}

test.each([
  ['gRPC', askOverHttp2],
  ['Connect over HTTP/1.1', askOverHttp1],
] as const)('streams over %s end as soon as their connection does, without a change', async (_name, ask) => {
  await using rig = await startRig();
  const { machines, waiting, bmcCommands } = rig.plane.stores;
  await machines.put(machineA, create(apiV2.MachineSchema, { uuid: machineA, partition: { id: 'lab' } }));
  const cutWait = await ask(rig, WAIT);
  await until(() => rig.plane.waitingRoom.size === 1);
  const looks = vi.spyOn(bmcCommands, 'take');
  const cutCommands = await ask(rig, COMMANDS);
  await until(() => looks.mock.calls.length > 0);
  const ended = (method: string): readonly string[] =>
    rig.calls.filter((call) => call.method.endsWith(method)).map(({ code }) => code);
  expect([ended(WAIT), ended(COMMANDS)]).toEqual([[], []]);
  cutWait();
  cutCommands();
  await until(async () => rig.plane.waitingRoom.size === 0 && (await waiting.all()).size === 0);
  await until(() => ended(WAIT).length === 1 && ended(COMMANDS).length === 1);
  expect([ended(WAIT), ended(COMMANDS)]).toEqual([['Canceled'], ['Canceled']]);
});
