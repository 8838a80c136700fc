// node test/soak/api-kills.ts [ROUNDS]: `ingot api-server` on SQLite is killed with SIGKILL and started again, 200 times by
// default, while clients write over gRPC; no write that was answered may be gone, and none that was not may be half there.
// Ends with 1 if one is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminV2, ApiError, apiV2, createChannel, createClient, infraV2 } from '@ingot/api';
import { systemEntropy } from '@ingot/net';
import { startReplica, type Replica } from '../../packages/api-server/test/allocation/replica-process.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const CLIENTS = 8;
const MAX_WRITES = 60;
const rounds = Number(process.argv[2] ?? 200);
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  process.stderr.write('usage: node test/soak/api-kills.ts [ROUNDS]\n');
  process.exit(2);
}

const tenant = (client: number, number: number): string => `tenant-${client}-${number}`;
const machine = (client: number): string => `aaaaaaaa-0000-4000-8000-${String(client).padStart(12, '0')}`;

/** What each client was promised last, or found after it: a tenant with its number, and an event. */
const newest = Array.from({ length: CLIENTS }, () => -1);
const newestEvent = Array.from({ length: CLIENTS }, () => -1);
let promises = 0;

/** Writes, each client one after the other, until the server is gone. */
async function write(server: Replica, client: number, onPromise: () => void): Promise<void> {
  const channel = createChannel({ url: server.url, ca: server.ca, token: server.adminToken });
  try {
    for (let number = (newest[client] ?? -1) + 1; ; number += 1) {
      await createClient(adminV2.TenantService, channel).create({ name: tenant(client, number) });
      const event = { event: apiV2.MachineProvisioningEventType.PLANNED_REBOOT, message: `${number}` };
      await createClient(infraV2.EventService, channel).send({ events: { [machine(client)]: event } });
      newest[client] = number;
      newestEvent[client] = number;
      promises += 1;
      onPromise();
    }
  } catch (error) {
    if (!(error instanceof ApiError) || !server.isDead) throw error;
  } finally {
    channel.close();
  }
}

/** Compares what the server has with what was promised. */
async function check(server: Replica, round: number): Promise<void> {
  const channel = createChannel({ url: server.url, ca: server.ca, token: server.adminToken });
  try {
    const { tenants } = await createClient(adminV2.TenantService, channel).list({});
    const names = new Set(tenants.map(({ name }) => name));
    for (const [client, number] of newest.entries()) {
      for (let each = 0; each <= number; each += 1)
        if (!names.has(tenant(client, each))) throw new Error(`round ${round}: ${tenant(client, each)} is gone`);
      // One write of each was under way, and may have been in time: a tenant, or a tenant and its event.
      const further = [1, 2].filter((step) => names.has(tenant(client, number + step)));
      if (further.length > 1) throw new Error(`round ${round}: client ${client} has more than it wrote`);
      const told = await lastEvent(channel, client);
      const promised = newestEvent[client] ?? -1;
      if (told < promised || told > number + further.length)
        throw new Error(`round ${round}: client ${client} was promised event ${promised}, and finds ${told}`);
      newest[client] = number + further.length;
      newestEvent[client] = told;
    }
  } finally {
    channel.close();
  }
}

async function lastEvent(channel: ReturnType<typeof createChannel>, client: number): Promise<number> {
  try {
    const found = await createClient(adminV2.MachineService, channel).get({ uuid: machine(client) });
    return Number(found.machine?.recentProvisioningEvents?.events[0]?.message ?? -1);
  } catch (error) {
    if (error instanceof ApiError && error.message.includes('there is no machine')) return -1;
    throw error;
  }
}

leaveNothingBehind();
const startedAt = performance.now();
const directory = await mkdtemp(join(tmpdir(), 'ingot-api-kills-'));
try {
  for (let round = 1; round <= rounds; round += 1) {
    await using server = await startReplica(directory, `sqlite:${join(directory, 'data', 'api.sqlite')}`);
    await check(server, round);
    let left = systemEntropy.int(MAX_WRITES);
    const onPromise = (): void => {
      left -= 1;
      if (left === -1) void server.kill();
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => write(server, client, onPromise)));
  }
  await using server = await startReplica(directory, `sqlite:${join(directory, 'data', 'api.sqlite')}`);
  await check(server, rounds + 1);
} finally {
  await rm(directory, { recursive: true, force: true });
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
process.stdout.write(`${rounds} kills, ${promises} answered writes, none lost, ${seconds} s\n`);
