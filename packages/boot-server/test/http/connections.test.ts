import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { trackConnections, type Connections } from '../../src/http/connections.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { bootMetrics } from '../../src/metrics.ts';

const LIMITS = { ...HTTP_LIMITS, connectionsPerClient: 3, connections: 5 };

interface Setup {
  readonly connections: Connections;
  /** A connection from this address, as the client and as the server has it. */
  readonly open: (from: string) => Promise<{ readonly client: Socket; readonly served: Socket }>;
}

async function setup(): Promise<Setup> {
  const connections = trackConnections(new MockClock(), bootMetrics(createMetrics()), LIMITS);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const own = server.address();
  const port = own === null || typeof own === 'string' ? 0 : own.port;
  const open: Setup['open'] = async (from) => {
    const accepted = once(server, 'connection');
    const client = connect({ host: '127.0.0.1', port, localAddress: from });
    const [served] = await accepted;
    sockets.push(client, served);
    client.on('error', () => undefined);
    if (connections.admit(served)) connections.opened(served);
    return { client, served };
  };
  return { connections, open };
}

test('one client has so many connections and no more, until one of them ends; others have theirs', async () => {
  const { open } = await setup();
  const first = await open('127.0.0.1');
  for (let count = 1; count < LIMITS.connectionsPerClient; count += 1)
    expect((await open('127.0.0.1')).served.destroyed).toBe(false);
  for (let again = 0; again < 2; again += 1) {
    const refused = await open('127.0.0.1');
    expect(refused.served.destroyed).toBe(true);
    await once(refused.client, 'close');
  }
  expect((await open('127.0.0.2')).served.destroyed).toBe(false);
  first.client.destroy();
  await once(first.served, 'close');
  expect((await open('127.0.0.1')).served.destroyed).toBe(false);
  expect((await open('127.0.0.1')).served.destroyed).toBe(true);
});

test('all clients together have so many connections and no more', async () => {
  const { open } = await setup();
  for (let client = 1; client <= LIMITS.connections; client += 1)
    expect((await open(`127.0.0.${client}`)).served.destroyed).toBe(false);
  expect((await open('127.0.0.9')).served.destroyed).toBe(true);
});

test('who comes while the server stops is sent away, and so is who waits for nothing', async () => {
  const { connections, open } = await setup();
  const idle = await open('127.0.0.1');
  const drained = connections.drain();
  expect(idle.served.destroyed).toBe(true);
  expect((await open('127.0.0.2')).served.destroyed).toBe(true);
  await drained;
});
