// Runs in a machine whose disks test/e2e/wipe.test.ts has filled: asks two answers of the API for a permit, the first
// of which gives none, and wipes with the second.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { apiV2, fromJson } from '@ingot/api';
import { systemClock, systemEntropy } from '@ingot/net';
import { runCommand } from '../../src/command.ts';
import { reasonOf } from '../../src/errors.ts';
import { openSysfs } from '../../src/sysfs.ts';
import { executeWipe } from '../../src/wipe/execute.ts';
import { wipePermit } from '../../src/wipe/permit.ts';
import { planWipe } from '../../src/wipe/plan.ts';
import { probeDisks } from '../../src/wipe/probe.ts';

const say = (word: string, value: unknown): void => console.log(`\nGUEST ${word} ${JSON.stringify(value)}`);
/** The agent of the image itself reads and writes the disks. */
const blockIo = [process.execPath, '/agent.mjs', 'block-io'];
const signal = AbortSignal.timeout(600_000);
const sysfs = openSysfs('/');
const partitions = (): string[] =>
  sysfs.list('/sys/class/block').filter((name) => sysfs.exists(`/sys/class/block/${name}/partition`));

/** `/answers.json`: the UUID, then what the API says of it, one time after the other. */
const [uuid, ...answers] = JSON.parse(readFileSync('/answers.json', 'utf8'));

async function obey(answer: unknown): Promise<void> {
  const standing = wipePermit(
    fromJson(apiV2.MachineSchema, JSON.parse(JSON.stringify(answer))),
    uuid,
    systemClock.monotonic(),
  );
  if (standing.kind === 'refused') {
    say('refused', standing.reason);
    return;
  }
  const facts = await probeDisks({ sysfs, run: runCommand, signal });
  const plan = planWipe(standing.permit, facts, { blockIo });
  say('partitions', partitions());
  const seen = new Set<string>();
  const report = await executeWipe(plan, {
    run: runCommand,
    clock: systemClock,
    entropy: systemEntropy,
    signal,
    blockIo,
    onProgress: ({ device, method }) => void seen.add(`${device} ${method}`),
  });
  say('progress', [...seen].sort());
  say('report', report);
  say('partitions', partitions());
}

async function main(): Promise<void> {
  const console = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (const answer of answers) {
    try {
      await obey(answer);
    } catch (error) {
      say('failed', reasonOf(error));
    }
    say('next', null);
    await console.next();
  }
  process.exit();
}

void main();
