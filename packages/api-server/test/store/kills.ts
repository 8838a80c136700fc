import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Entropy } from '@ingot/net';
import { createStores } from '../../src/store/stores.ts';
import { systemClock } from '@ingot/net';
import { sqlitePlace } from './sqlite-place.ts';

const CLIENTS = 8;
const MAX_WRITES = 100;

/**
 * Starts a writer on one SQLite file again and again, and kills it with SIGKILL after some of its promises. Throws when a
 * promised write is gone, a half one is there, or the file is damaged. Answers the number of promises.
 */
export async function killRounds(rounds: number, entropy: Entropy): Promise<number> {
  await using place = await sqlitePlace();
  let promises = 0;
  // What was promised last, or found after it: what a later kill takes away is as lost as what the same one does.
  const newest = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    const promised = await writeUntilKilled(place.path, entropy.int(MAX_WRITES));
    promises += promised.count;
    for (const [client, number] of promised.newest) {
      if (number <= (newest.get(client) ?? -1))
        throw new Error(`round ${round + 1}: client ${client} wrote ${number} twice`);
      newest.set(client, number);
    }
    await using database = await place.open();
    const { partitions, events } = createStores(database, systemClock);
    const complain = (words: string): never => {
      throw new Error(`round ${round + 1}: ${words}`);
    };
    for (const [client, number] of newest) {
      const found = Number((await partitions.get(client))?.value.description ?? -1);
      // One write of each client was under way, and may have been in time.
      if (found !== number && found !== number + 1)
        complain(`client ${client} was promised ${number}, and finds ${found}`);
      const event = (await events.of(client)).recent.events[0]?.message;
      newest.set(client, found);
      if (event !== `${found}`) complain(`client ${client} wrote ${found} and event ${event} in one transaction`);
    }
    const check = await database.get('PRAGMA integrity_check');
    if (check?.['integrity_check'] !== 'ok') complain(`the file is damaged: ${JSON.stringify(check)}`);
  }
  return promises;
}

async function writeUntilKilled(
  path: string,
  after: number,
): Promise<{ readonly newest: ReadonlyMap<string, number>; readonly count: number }> {
  const program = fileURLToPath(new URL('crash-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [program, path, `${CLIENTS}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const newest = new Map<string, number>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [client = '', number] = line.split(' ');
    newest.set(client, Number(number));
    if (count === after) child.kill('SIGKILL');
    count += 1;
  }
  if ((await exited)[1] !== 'SIGKILL') throw new Error(`the writer ended by itself after ${count} writes`);
  return { newest, count };
}
