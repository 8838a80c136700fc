import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** One of the programs that are measured side by side. */
export interface Contender {
  readonly name: string;
  /** What must be installed for it: without, it is left out, and the table says so. */
  readonly needs?: { readonly program: string; readonly debianPackage: string };
  /** Starts it, measures once, and stops it; the figure is in the table's unit. */
  readonly measure: () => Promise<number | Measurement>;
}

export interface Measurement {
  readonly value: number;
  /** Processor time of the server's, in the table's `costUnit`: on a busy host it says more than a rate. */
  readonly cost?: number;
}

export interface Comparison {
  readonly title: string;
  /** As `offers/s`. */
  readonly unit: string;
  /** As `ms of processor time each`. */
  readonly costUnit?: string;
  /** Name of the contender that the others are divided by. */
  readonly ours: string;
  readonly rounds: number;
  /** Whether to wait for a quiet host before each measurement; true where it is not given. */
  readonly patient?: boolean;
  readonly contenders: readonly Contender[];
}

export interface Measured {
  readonly name: string;
  readonly median: number;
  readonly values: readonly number[];
}

/** Every contender once in each round, so that a busy minute hits all of them; prints the table of medians. */
export async function compare(comparison: Comparison): Promise<Measured[]> {
  const { title, unit, costUnit, ours, rounds, patient = true, contenders } = comparison;
  const values = new Map<string, number[]>();
  const costs = new Map<string, number[]>();
  const skipped: string[] = [];
  const present = contenders.filter(({ name, needs }) => {
    if (needs === undefined || findProgram(needs.program) !== undefined) return true;
    skipped.push(`${name}: ${needs.program} is not installed (apt-get install ${needs.debianPackage})`);
    return false;
  });
  let leastIdle = 1;
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, measure } of present) {
      if (patient) leastIdle = Math.min(leastIdle, await waitForQuiet());
      try {
        const measured = await measure();
        const { value, cost }: Measurement = typeof measured === 'number' ? { value: measured } : measured;
        values.set(name, [...(values.get(name) ?? []), value]);
        if (cost !== undefined) costs.set(name, [...(costs.get(name) ?? []), cost]);
      } catch (error) {
        skipped.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  const measured = present.map(({ name }) => {
    const list = values.get(name) ?? [];
    return { name, median: median(list), values: list };
  });
  console.log(
    `\n${title} (${unit}; median of ${rounds}, least to most; ours ÷ theirs, median and range of the rounds)`,
  );
  for (const { name, median: middle, values: list } of measured) {
    if (list.length === 0) continue;
    const range = `${figure(Math.min(...list))} to ${figure(Math.max(...list))}`;
    const ratio = name === ours ? '' : `× ${ratioText(values.get(ours) ?? [], list)}`;
    const cost = costs.get(name);
    const costText = cost === undefined ? '' : `${median(cost).toFixed(2)} ${costUnit ?? ''}`;
    const columns = [name.padEnd(34), figure(middle).padStart(10), ` ${range.padEnd(20)}`, ratio.padEnd(24), costText];
    console.log(`  ${columns.join(' ').trimEnd()}`);
  }
  for (const line of skipped) console.log(`  left out: ${line}`);
  if (leastIdle < QUIET)
    console.log(
      `  the host was busy with other things: only ${Math.round(leastIdle * 100)} % idle before a measurement`,
    );
  return measured;
}

/** Measured one after the other, two figures of a round have met about the same host. */
function ratioText(own: readonly number[], theirs: readonly number[]): string {
  const ratios = theirs.flatMap((value, round) => (own[round] === undefined ? [] : [own[round] / value]));
  const text = median(ratios).toFixed(2);
  return ratios.length < 2 ? text : `${text} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}

/** The middle value; the mean of the two middle ones of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Full path of a program, sbin included; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const QUIET = 0.85;

/** Waits up to 5 s for processors that are 85 % idle; resolves with the idle share that it ended on. */
async function waitForQuiet(): Promise<number> {
  let idle = 0;
  for (let attempt = 0; attempt < 10 && idle < QUIET; attempt += 1) {
    const before = readCpuTimes();
    await pause(500);
    const after = readCpuTimes();
    idle = (after.idle - before.idle) / Math.max(1, after.all - before.all);
  }
  return idle;
}

function readCpuTimes(): { readonly idle: number; readonly all: number } {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '';
  const times = line.trim().split(/\s+/).slice(1).map(Number);
  // Fields 4 and 5 are idle and iowait.
  return { idle: (times[3] ?? 0) + (times[4] ?? 0), all: times.slice(0, 8).reduce((sum, each) => sum + each, 0) };
}

function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-GB');
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
