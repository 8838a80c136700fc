import { connect, createServer, type Socket } from 'node:net';
import { adminV2, apiV2, Code, create, createChannel, createClient, durationFromMs } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { failure, MockClock, startRig, until, type Rig } from '../support.ts';
import { hall } from './hall.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const key = { idempotencyKey: '0b7e0b0e-2f3c-4a55-8f4e-5c1f3f6f2a10' };

const allocated = async (rig: Rig): Promise<string[]> =>
  (await rig.plane.stores.machines.list()).flatMap(({ value }) => value.allocation?.uuid ?? []);

/** A wire between client and server that can be told to deliver no more answers, and to break. */
interface Wire extends AsyncDisposable {
  readonly url: string;
  /** From now on requests come through and answers do not. */
  swallowAnswers(): void;
  break(): void;
}

async function wireTo(rig: Rig): Promise<Wire> {
  const sockets: Socket[] = [];
  let swallows = false;
  const server = createServer((client) => {
    const far = connect({ host: '127.0.0.1', port: Number(new URL(rig.url).port) });
    sockets.push(client, far);
    for (const socket of [client, far]) socket.on('error', () => undefined);
    client.pipe(far);
    far.on('data', (chunk: Buffer) => {
      if (!swallows) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const destroy = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    url: `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    swallowAnswers: () => {
      swallows = true;
    },
    break: destroy,
    async [Symbol.asyncDispose]() {
      destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('an allocation that is asked for again with its idempotency key', () => {
  test('is the one that was made when the answer was lost with the connection', async () => {
    await using rig = await startRig();
    const { machines, wish, a } = await hall(rig, 2);
    await using wire = await wireTo(rig);
    const token = await rig.mint({ projectRoles: { [a]: apiV2.ProjectRole.EDITOR } });
    const channel = createChannel({ url: wire.url, ca: rig.ca, token });
    const client = createClient(apiV2.MachineService, channel);
    await client.list({ project: a });
    wire.swallowAnswers();
    const lost = failure(client.create(wish(), key));
    await until(async () => (await allocated(rig)).length === 1);
    wire.break();
    expect((await lost).code).toBe(Code.Unavailable);
    channel.close();
    const [made] = await allocated(rig);

    // The user of the lost answer, with another token.
    const { machine } = await machines.create(wish(), key);
    expect(machine?.allocation?.uuid).toBe(made);
    expect(await allocated(rig)).toHaveLength(1);
  });

  test('is made once by tries that come at the same time, and after a restart', async () => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 3);
    const answers = await Promise.all([1, 2, 3].map(() => machines.create(wish(), key)));
    const [made] = await allocated(rig);
    expect(answers.map(({ machine }) => machine?.allocation?.uuid)).toEqual([made, made, made]);
    await rig.restart();
    const again = await createClient(apiV2.MachineService, rig.admin).create(wish(), key);
    expect(again.machine?.allocation?.uuid).toBe(made);
    expect(await allocated(rig)).toHaveLength(1);
  });

  test('is another one with another key, and with none', async () => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 3);
    await machines.create(wish(), key);
    await machines.create(wish(), { idempotencyKey: 'another' });
    await machines.create(wish());
    expect(await allocated(rig)).toHaveLength(3);
  });

  test('is another one for another user', async () => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 2);
    await machines.create(wish(), key);
    const tokenCreateRequest = create(apiV2.TokenServiceCreateRequestSchema, {
      adminRole: apiV2.AdminRole.EDITOR,
      expires: durationFromMs(600_000),
    });
    const { secret } = await createClient(adminV2.TokenService, rig.admin).create({ user: 'bob', tokenCreateRequest });
    await createClient(apiV2.MachineService, rig.channel(secret)).create(wish(), key);
    expect(await allocated(rig)).toHaveLength(2);
  });

  test('is refused when it asks for something else, or for what was freed since', async () => {
    await using rig = await startRig();
    const { machines, wish, a } = await hall(rig, 1);
    const labels = { labels: { one: '1', two: '2' } };
    const { machine } = await machines.create(wish({ labels }), key);
    const reordered = { labels: { two: '2', one: '1' } };
    await machines.create(wish({ labels: reordered }), key);
    const other = await failure(machines.create(wish({ name: 'other' }), key));
    expect(other).toMatchObject({ code: Code.InvalidArgument, message: expect.stringContaining('another request') });
    await machines.delete({ uuid: machine?.uuid ?? '', project: a });
    expect((await failure(machines.create(wish({ labels }), key))).code).toBe(Code.NotFound);
  });

  test('is made when it has failed before', async () => {
    await using rig = await startRig();
    const { machines, wish, networks, a } = await hall(rig, 1);
    const early = wish({ networks: [{ network: 'late' }] });
    expect((await failure(machines.create(early, key))).code).toBe(Code.NotFound);
    await networks.create({ id: 'late', type: apiV2.NetworkType.CHILD, project: a, parentNetwork: 'super' });
    expect((await machines.create(early, key)).machine?.allocation?.networks[0]?.network).toBe('late');
  });
});

describe('idempotency keys', () => {
  test('keep projects, tenants, networks and addresses from being made twice', async () => {
    await using rig = await startRig();
    const { projects, ips, networks, a } = await hall(rig, 0);
    const tenants = createClient(apiV2.TenantService, rig.admin);
    const own = createClient(apiV2.NetworkService, rig.admin);
    const external = { type: apiV2.NetworkType.EXTERNAL, prefixes: ['203.0.113.0/24'] };
    const twice = async (make: () => Promise<string | undefined>): Promise<void> => {
      const first = await make();
      expect(first).toMatch(/./);
      expect(await make()).toBe(first);
    };
    await twice(
      async () => (await projects.create({ login: 'acme', name: 'web', description: '' }, key)).project?.uuid,
    );
    await twice(async () => (await tenants.create({ name: 'umbrella' }, key)).tenant?.login);
    await twice(async () => (await networks.create(external, key)).network?.id);
    await twice(async () => (await own.create({ project: a, parentNetwork: 'super' }, key)).network?.id);
    await twice(async () => (await ips.create({ project: a, network: 'internet' }, key)).ip?.uuid);
  });

  test('are good for a day, and so many of a user', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const { projects } = await hall(rig, 0);
    const wish = { login: 'acme', name: 'web', description: '' };
    const first = (await projects.create(wish, key)).project?.uuid;
    const full = `INSERT INTO idempotency ("user", method, key, request, made, created_at)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
      SELECT 'admin', 'm', CAST(i AS TEXT), '', '', ${clock.now()} FROM n`;
    await rig.plane.database.run(full);
    const tooMany = await failure(projects.create(wish, { idempotencyKey: 'one more' }));
    expect(tooMany.code).toBe(Code.InvalidArgument);
    const refused = await failure(projects.create(wish, { idempotencyKey: 'one-more' }));
    expect(refused).toMatchObject({ code: Code.ResourceExhausted, message: expect.stringContaining('10000') });
    expect((await projects.create(wish, key)).project?.uuid).toBe(first);
    clock.stepWallClock(DAY_MS);
    expect((await projects.create(wish, key)).project?.uuid).not.toBe(first);
    const rows = await rig.plane.database.all('SELECT key FROM idempotency');
    expect(rows).toEqual([{ key: key.idempotencyKey }]);
  });

  test('are refused when they are none', async () => {
    await using rig = await startRig();
    const projects = createClient(apiV2.ProjectService, rig.admin);
    for (const idempotencyKey of ['', 'a key', 'x'.repeat(129)]) {
      const made = failure(projects.create({ login: 'acme', name: 'web', description: '' }, { idempotencyKey }));
      expect((await made).message).toContain('must have 1 to 128 printable ASCII characters');
    }
  });
});
