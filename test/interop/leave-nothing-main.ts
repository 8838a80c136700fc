/**
 * Makes what a benchmark makes, prints where it is, and ends as it is told to, or waits for a signal.
 *
 *     node test/interop/leave-nothing-main.ts [uncaught]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../support/at-end.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';
import { createNamespacePair } from '../support/namespace-pair.ts';

export interface Made {
  readonly namespaces: readonly string[];
  readonly directories: readonly string[];
  readonly pids: readonly number[];
}

leaveNothingBehind();
await using pair = await createNamespacePair({ delayUs: 1 });
const inside = await pair.start('server', ['sleep', '60']);
const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
const [grandchild] = await shell.stdout.setEncoding('utf8').take(1).toArray();
atEnd(() => new Promise((resolve) => setTimeout(() => resolve(console.log('waited')), 50)));
const made: Made = {
  namespaces: Object.values(pair.names),
  directories: [pair.folder, mkdtempSync(join(tmpdir(), 'more-')), tmpdir()],
  pids: [inside.pid, shell.pid ?? 0, Number(grandchild)],
};
console.log(JSON.stringify(made));
if (process.argv[2] === 'uncaught')
  setTimeout(() => {
    throw new Error('nobody catches this');
  });
await new Promise((resolve) => setTimeout(resolve, 60_000));
