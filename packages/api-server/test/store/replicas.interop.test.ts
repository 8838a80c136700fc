import { adminV2, apiV2, Code, create, createClient, infraV2, ingotAdminV1 } from '@ingot/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clock, MockClock, systemClock } from '@ingot/net';
import { findOrCreateMachine } from '../../src/machine/machine-records.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { createStores } from '../../src/store/stores.ts';
import { startPostgres, type PostgresServer } from '../postgres-server.ts';
import { failure, machineA, startRig, until, type Rig } from '../support.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Two API servers on one database, with a machine. */
async function replicas(work: (a: Rig, b: Rig) => Promise<void>, clockOfB: Clock = systemClock): Promise<void> {
  const database = { dialect: 'postgres', url: await server.createDatabase() } as const;
  await using a = await startRig({ database });
  await using b = await startRig({ database, clock: clockOfB });
  await findOrCreateMachine(a.plane.stores, machineA, 'lab');
  await work(a, b);
}

const waitAt = (rig: Rig) => createClient(infraV2.BootService, rig.admin).wait({ uuid: machineA });
const allocation = create(apiV2.MachineAllocationSchema, { uuid: 'cccccccc-0000-4000-8000-00000000000c', name: 'web' });

test('a Wait stream at one server is woken by a change at another, long before it looks by itself', () =>
  replicas(
    async (a, b) => {
      const stream = waitAt(b)[Symbol.asyncIterator]();
      const first = stream.next();
      await until(() => b.plane.waitingRoom.isWaiting(machineA));
      await a.plane.stores.machines.edit(machineA, (machine) => {
        machine.allocation = allocation;
      });
      expect((await first).value?.allocation?.name).toBe('web');
      await stream.return?.();
      // It looks by itself when time passes, which it does not there.
    },
    new MockClock({ nowMs: Date.now() }),
  ));

test('every server knows who waits, and the newest stream of a machine wins, wherever it is', () =>
  replicas(async (a, b) => {
    const old = failure(Array.fromAsync(waitAt(b)));
    await until(() => a.plane.stores.waiting.isWaiting(machineA));
    const machines = createClient(adminV2.MachineService, a.admin);
    expect((await machines.list({ query: { waiting: true } })).machines).toHaveLength(1);
    const next = failure(Array.fromAsync(waitAt(a)));
    expect((await old).code).toBe(Code.Aborted);
    expect(await b.plane.stores.waiting.isWaiting(machineA)).toBe(true);
    await createClient(ingotAdminV1.WipeService, b.admin).order({ uuid: machineA });
    expect((await next).code).toBe(Code.FailedPrecondition);
    await until(async () => !(await b.plane.stores.waiting.isWaiting(machineA)));
  }));

test('servers on one database have one authority, and a token of one is good at the other, until either revokes it', () =>
  replicas(async (a, b) => {
    expect(b.ca).toBe(a.ca);
    const secret = await a.mint({ infraRole: apiV2.InfraRole.EDITOR, description: 'agent' });
    const tokens = createClient(apiV2.TokenService, b.channel(secret));
    const { tokens: listed } = await tokens.list({ query: { description: 'agent' } });
    await createClient(adminV2.TokenService, a.admin).revoke({ uuid: listed[0]?.uuid ?? '', user: 'admin' });
    expect((await failure(tokens.list({}))).code).toBe(Code.Unauthenticated);
  }));

test('servers that start together on an empty database make its tables once', async () => {
  const url = await server.createDatabase();
  const databases = await Promise.all(
    [1, 2, 3, 4].map(() => openDatabase({ dialect: 'postgres', url }, { clock: systemClock })),
  );
  const versions = await databases[0]?.all('SELECT version FROM schema_version ORDER BY version');
  expect(versions?.map(({ version }) => version)).toEqual(versions?.map((_row, index) => index + 1));
  await Promise.all(databases.map((database) => database.close()));
});

test.each([undefined, 'counter'])(
  'servers that change the same thing at once lose nothing (key: %s)',
  async (serialise) => {
    const url = await server.createDatabase();
    const open = () => openDatabase({ dialect: 'postgres', url }, { clock: systemClock });
    await using a = await open();
    await using b = await open();
    await a.run("INSERT INTO secret (name, value) VALUES ('counter', '0')");
    const increment = (database: Database): Promise<unknown> =>
      database.transaction(
        async (session) => {
          const row = await session.get("SELECT value FROM secret WHERE name = 'counter'");
          await session.run("UPDATE secret SET value = ? WHERE name = 'counter'", `${Number(row?.['value']) + 1}`);
        },
        serialise === undefined ? {} : { serialise },
      );
    await Promise.all([a, b].flatMap((database) => Array.from({ length: 400 }, () => increment(database))));
    expect(await a.get("SELECT value FROM secret WHERE name = 'counter'")).toEqual({ value: '800' });
  },
);

test('while PostgreSQL is away calls say so, and all goes on when it is back, streams included', async () => {
  await using own = await startPostgres();
  await using rig = await startRig({ database: { dialect: 'postgres', url: await own.createDatabase() } });
  const { stores, database } = rig.plane;
  await findOrCreateMachine(stores, machineA, 'lab');
  const stream = waitAt(rig)[Symbol.asyncIterator]();
  const first = stream.next();
  await until(() => rig.plane.waitingRoom.isWaiting(machineA));
  // One in the middle of a transaction, too.
  const begun = Promise.withResolvers<void>();
  const killed = Promise.withResolvers<void>();
  const half = stores.transaction(async (inner) => {
    await inner.machines.edit(machineA, (machine) => void (machine.rack = 'half'));
    begun.resolve();
    await killed.promise;
    return inner.machines.count();
  });
  await begun.promise;
  await own.kill();
  killed.resolve();
  expect((await failure(half)).code).toBe(Code.Unavailable);
  const refused = await failure(stores.machines.count());
  expect([refused.code, refused.message]).toEqual([Code.Unavailable, expect.stringContaining('the database is away')]);
  expect(await database.state()).toMatchObject({ ok: false, reason: expect.stringContaining('is away') });

  await own.start();
  await until(async () => (await database.state()).ok);
  expect((await stores.machines.need(machineA)).value.rack).toBe('');
  await stores.machines.edit(machineA, (machine) => {
    machine.allocation = allocation;
  });
  expect((await first).value?.allocation?.name).toBe('web');
  await stream.return?.();
});

test('a connection that the server ends is replaced', async () => {
  const url = await server.createDatabase();
  await using database = await openDatabase({ dialect: 'postgres', url }, { clock: systemClock });
  const stores = createStores(database, systemClock);
  await stores.partitions.count();
  for (let round = 0; round < 3; round += 1) {
    await database
      .all(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ingot-api-server' AND pid <> pg_backend_pid() AND datname = current_database()",
      )
      .catch(() => undefined);
    // Whichever call comes at the wrong moment fails and says so; none of them hangs.
    await Promise.allSettled([stores.partitions.count(), stores.partitions.count()]);
    await until(async () => (await database.state()).ok);
    expect(await stores.partitions.count()).toBe(0);
  }
});

test('a server that hangs is given up, and all goes on when it does', async () => {
  await using own = await startPostgres();
  const clock = new MockClock();
  await using database = await openDatabase({ dialect: 'postgres', url: await own.createDatabase() }, { clock });
  const heard: (string | undefined)[] = [];
  database.subscribe('machine', (payload) => heard.push(payload));
  await database.run("INSERT INTO secret (name, value) VALUES ('before', 'x')");
  own.pause();
  try {
    const asked = failure(database.all('SELECT 1'));
    const written = failure(database.run("INSERT INTO secret (name, value) VALUES ('lost', 'x')"));
    const half = failure(
      database.transaction(async (session) => {
        await session.run("INSERT INTO secret (name, value) VALUES ('half', 'x')");
      }),
    );
    // Those that had to connect say so after 5 s of the real clock.
    await clock.advance(25_000);
    for (const error of await Promise.all([asked, written, half])) {
      expect([error.code, error.message]).toEqual([Code.Unavailable, expect.stringContaining('the database is away')]);
    }
    // The one that listens was asked whether it is still there.
    await clock.advance(35_000);
    expect(await database.state()).toMatchObject({ ok: false, reason: expect.stringContaining('is away') });
  } finally {
    own.resume();
  }
  await until(async () => {
    await clock.advance(1_000);
    return (await database.state()).ok;
  });
  expect(heard).toContain(undefined);
  await database.run("INSERT INTO secret (name, value) VALUES ('after', 'x')");
  const names = (await database.all('SELECT name FROM secret ORDER BY name')).map(({ name }) => name);
  // Nobody was told that they are stored; what reached the server before it hung may be.
  expect(names.filter((name) => name !== 'half' && name !== 'lost')).toEqual(['after', 'before']);
});

test('where PostgreSQL has no connection left, those that there are serve all', async () => {
  await using own = await startPostgres({ max_connections: '8', superuser_reserved_connections: '0' });
  const url = await own.createDatabase();
  await using database = await openDatabase({ dialect: 'postgres', url }, { clock: systemClock });
  await database.run("INSERT INTO secret (name, value) VALUES ('counter', '0')");
  const others: Database[] = [];
  try {
    // Each takes one that listens, and one more with its first question.
    for (let full = false; !full;) {
      try {
        const other = await openDatabase({ dialect: 'postgres', url }, { clock: systemClock });
        others.push(other);
        await other.all('SELECT 1');
      } catch {
        full = true;
      }
    }
    const asked = await Promise.all(Array.from({ length: 50 }, () => database.get('SELECT count(*) AS n FROM secret')));
    expect(new Set(asked.map((row) => row?.['n']))).toEqual(new Set([1]));
    expect(await database.state()).toEqual({ ok: true });
  } finally {
    await Promise.all(others.map((other) => other.close()));
  }
  await until(async () => (await database.state()).ok);
});
