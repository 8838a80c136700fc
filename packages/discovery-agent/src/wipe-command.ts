import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock, systemEntropy } from '@ingot/net';
import { runCommand } from './command.ts';
import type { RunCommand } from './command.ts';
import { AgentError, AgentErrorCode, reasonOf } from './errors.ts';
import { openSysfs } from './sysfs.ts';
import { executeWipe } from './wipe/execute.ts';
import type { Argv } from './wipe/method.ts';
import { operatorPermit, wipeRehearsal } from './wipe/permit.ts';
import { planWipe } from './wipe/plan.ts';
import { probeDisks } from './wipe/probe.ts';
import type { WipeProgress } from './wipe/report.ts';
import { duration, planJson, planLines, reportLines } from './wipe/wipe-text.ts';

export const wipeUsage = `ingot-discovery wipe --dry-run [--json] [--root DIR] [DEVICE…]
    how the disks would be wiped; changes nothing
ingot-discovery wipe [--json] DEVICE… --yes-destroy DEVICE…
    wipes these disks; each has to be named twice
`;

/** How this program starts itself to read and write one disk. */
export function blockIoCommand(): Argv {
  return [process.execPath, process.argv[1] ?? '', 'block-io'];
}

/** Exit status of a wipe that left a disk unclean, and of one that was refused or asked for in the wrong way. */
const exitStatus = { unclean: 1, refused: 2 } as const;

/** Runs `wipe`. Never rejects: what is wrong is said, and the exit status tells. */
export async function wipeCommand(args: readonly string[]): Promise<void> {
  try {
    await wipe(args);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = exitStatus.refused;
  }
}

interface Options {
  readonly values: {
    readonly 'dry-run': boolean;
    readonly json: boolean;
    readonly root: string;
    readonly 'yes-destroy': readonly string[];
  };
  readonly positionals: readonly string[];
}

/** Throws `WipeRefused`. */
function parseOptions(args: readonly string[]): Options {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        root: { type: 'string', default: '/' },
        'yes-destroy': { type: 'string', multiple: true, default: [] },
      },
    });
  } catch (error) {
    throw refusal(`${reasonOf(error)}; ingot-discovery --help says more`);
  }
}

async function wipe(args: readonly string[]): Promise<void> {
  const { values, positionals: devices } = parseOptions(args);
  const print = (json: unknown, lines: readonly string[]): void =>
    void process.stdout.write(values.json ? `${JSON.stringify(json, null, 2)}\n` : lines.map((l) => `${l}\n`).join(''));
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
  const blockIo = blockIoCommand();
  const signal = stopping.signal;

  if (values['dry-run']) {
    const named = devices.length === 0 ? undefined : devices;
    if (statSync(values.root, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw refusal(`--root ${values.root}: no such directory`);
    const sysfs = openSysfs(values.root);
    const facts = await probeDisks({ sysfs, run: asksDisks(values.root), signal, devices: named });
    const plan = planWipe(wipeRehearsal(named), facts, { blockIo });
    print(planJson(plan), planLines(plan));
    return;
  }
  if (values.root !== '/') throw refusal('--root is for looking, with --dry-run');
  const permit = operatorPermit(devices, values['yes-destroy'], systemClock.monotonic());
  const facts = await probeDisks({ sysfs: openSysfs('/'), run: runCommand, signal, devices });
  const plan = planWipe(permit, facts, { blockIo });
  const unwilling = [...plan.blocked, ...plan.skipped].filter(({ device }) => devices.includes(device));
  if (unwilling.length > 0)
    throw refusal(`nothing was wiped: ${unwilling.map(({ device, reason }) => `${device}: ${reason}`).join('; ')}`);

  const report = await executeWipe(plan, {
    run: runCommand,
    clock: systemClock,
    entropy: systemEntropy,
    signal,
    blockIo,
    onProgress: (progress) => process.stderr.write(`${progressLine(progress)}\n`),
  });
  print(report, reportLines(report));
  if (report.verdict !== 'clean') process.exitCode = exitStatus.unclean;
}

/** Below another root there are no disks to ask: what only they can tell is missing from the plan, with a note. */
function asksDisks(root: string): RunCommand {
  if (root === '/') return runCommand;
  return (file) => Promise.reject(new Error(`${file} was not asked, since the plan is for ${root}`));
}

function refusal(words: string): AgentError {
  return new AgentError(AgentErrorCode.WipeRefused, words);
}

function progressLine({ device, method, fraction, secondsLeft }: WipeProgress): string {
  const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`;
  return `${device} ${method} ${Math.floor(fraction * 100)} %${left}`;
}
