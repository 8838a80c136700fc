import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, apiV2, Code, createChannel, createClient, type Channel } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { openDatabase } from '../../src/store/open-database.ts';
import { number } from '../../src/store/row.ts';
import { createStores, type Stores } from '../../src/store/stores.ts';
import { startPostgres } from '../postgres-server.ts';
import { startReplica, type Replica } from './replica-process.ts';
import { fillHall, type Contender } from './storm-hall.ts';
import { checkHall, type Answer } from './storm-verdict.ts';

/** What a storm came to. */
export interface StormReport {
  readonly allocated: number;
  readonly refused: number;
  /** Calls that the killed server took with it. */
  readonly cutOff: number;
  /** Of those, allocations that it had stored and not told. */
  readonly storedUntold: number;
  readonly seconds: number;
}

/** A server takes 128 calls at once over one connection. */
const CALLS_OF_A_CHANNEL = 100;
const CALL_TIMEOUT_MS = 300_000;
const RENEW_EVERY_MS = 30_000;
const BUSY_PAUSE_MS = 200;

/**
 * Two API servers on one PostgreSQL, and `asks` clients that want a machine at once, half of them at each. One server is
 * killed with SIGKILL after some of the answers, and its clients go to the other one. Throws when an answer is not true
 * afterwards, when anything is given twice or to nobody, or when a project has not exactly what reservations promise.
 */
export async function allocationStorm(asks: number, killAfter: number): Promise<StormReport> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ingot-storm-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  // PostgreSQL itself is not killed: a wait for the disk at every step would only take time.
  const postgres = cleanup.use(await startPostgres({ fsync: 'off' }));
  await postgres.sql('CREATE ROLE victim SUPERUSER LOGIN');
  const url = await postgres.createDatabase();
  const survivor = cleanup.use(await startReplica(join(directory, 'survivor'), url));
  // A user of its own: what it left under way at the database can be told apart.
  const victim = cleanup.use(await startReplica(join(directory, 'victim'), url.replace('user=ingot', 'user=victim')));
  const database = cleanup.use(await openDatabase({ dialect: 'postgres', url }, { clock: systemClock }));
  const stores = createStores(database, systemClock);
  const channels = (replica: Replica): Channel[] =>
    Array.from({ length: Math.ceil(asks / CALLS_OF_A_CHANNEL) }, () => {
      const { ca, adminToken: token } = replica;
      const channel = createChannel({ url: replica.url, ca, token, defaultTimeoutMs: CALL_TIMEOUT_MS });
      cleanup.defer(() => channel.close());
      return channel;
    });
  const [safe, doomed] = [channels(survivor), channels(victim)];
  const { contenders, seats } = await fillHall(stores, need(safe[0]), asks);
  const renewal = setInterval(() => void stores.waiting.renew(seats), RENEW_EVERY_MS);
  cleanup.defer(() => clearInterval(renewal));

  const startedAt = performance.now();
  const answers = new Map<string, Answer>();
  let told = 0;
  let cutOff = 0;
  let storedUntold = 0;
  const buried = Promise.withResolvers<void>();
  const bury = async (): Promise<void> => {
    await victim.kill();
    await forgotten(stores, 'victim');
  };
  const tell = (name: string, answer: Answer): void => {
    answers.set(name, answer);
    told += 1;
    if (told === killAfter) bury().then(buried.resolve, buried.reject);
  };
  // Whoever lost its server looks whether it has a machine before it asks again; one look per project does for all.
  const looks = new Map<string, Promise<Map<string, apiV2.Machine>>>();
  const look = async (project: string): Promise<Map<string, apiV2.Machine>> => {
    await buried.promise;
    const { machines } = await createClient(apiV2.MachineService, need(safe[0])).list({ project });
    return new Map(machines.map((machine) => [machine.allocation?.name ?? '', machine]));
  };
  const client = async (contender: Contender, name: string, index: number): Promise<void> => {
    const { project, network } = contender;
    if (index % 2 === 0 && !victim.isDead) {
      const answer = await ask(need(doomed[index % doomed.length]), contender, name, () => victim.isDead);
      if (answer !== 'cut off') return tell(name, answer);
      cutOff += 1;
      const looking = looks.get(project) ?? look(project);
      looks.set(project, looking);
      const found = (await looking).get(name);
      if (found !== undefined) {
        storedUntold += 1;
        return tell(name, found);
      }
    }
    const answer = await ask(need(safe[index % safe.length]), contender, name, () => survivor.isDead);
    if (answer === 'cut off') throw new Error(`${name}: the server that was left alone is gone, too (${network})`);
    tell(name, answer);
  };
  const wishes = contenders.flatMap((contender, of) =>
    Array.from({ length: contender.asks }, (_, index) => ({ contender, name: `${of}-${index}`, index })),
  );
  await Promise.all(wishes.map(({ contender, name, index }) => client(contender, name, index)));
  const seconds = (performance.now() - startedAt) / 1000;
  if (!victim.isDead || cutOff === 0) throw new Error('no call was under way when the server was killed');
  await checkHall(stores, contenders, answers);
  const refused = [...answers.values()].filter((answer) => answer === 'refused').length;
  return { allocated: answers.size - refused, refused, cutOff, storedUntold, seconds };
}

/** Asks until there is an answer; `cut off` when the server is gone, and nobody knows what it did. */
async function ask(
  channel: Channel,
  { project, network }: Contender,
  name: string,
  isGone: () => boolean,
): Promise<Answer | 'cut off'> {
  const machines = createClient(apiV2.MachineService, channel);
  for (;;) {
    try {
      const { machine } = await machines.create({
        project,
        name,
        partition: 'lab',
        size: 'c1',
        image: 'debian-12',
        networks: [{ network }],
      });
      return need(machine);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === Code.ResourceExhausted) return 'refused';
      if (isGone() && error.code === Code.Unavailable) return 'cut off';
      // Others were first, for too long; nothing was done. On a slow host some never get a connection to the database.
      if (isBusy(error)) await once(AbortSignal.timeout(BUSY_PAUSE_MS), 'abort');
      else if (error.code !== Code.Aborted) throw error;
    }
  }
}

function isBusy({ code, message }: ApiError): boolean {
  return code === Code.Unavailable && message.includes('no connection free');
}

/** Resolves when PostgreSQL has ended everything that a killed server's connections were doing. */
async function forgotten(stores: Stores, user: string): Promise<void> {
  for (;;) {
    const row = await stores.session.get('SELECT count(*) AS found FROM pg_stat_activity WHERE usename = ?', user);
    if (row === undefined || number(row, 'found') === 0) return;
    await once(AbortSignal.timeout(50), 'abort');
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there should be one');
  return value;
}
