import type { Method } from './method.ts';
import type { WipePlan } from './plan.ts';
import type { DiskOutcome, WipeReport } from './report.ts';

/** A plan for people: what would be run, as JSON arrays, so that nobody takes them for shell commands. */
export function planLines(plan: WipePlan): string[] {
  if (plan.units.length + plan.blocked.length + plan.skipped.length === 0) return ['there is no disk'];
  return [
    ...plan.units.flatMap((unit) => [
      ...unit.together.flatMap((method) =>
        methodLines(`together: ${unit.disks.map(({ device }) => device).join(', ')}`, method),
      ),
      ...unit.disks.flatMap((disk) => [
        ...disk.preparation.map((argv) => `${disk.device} first ${JSON.stringify(argv)}`),
        ...disk.methods.flatMap((method) => methodLines(disk.device, method)),
        ...disk.hints.map((hint) => `${disk.device} note: ${hint}`),
      ]),
    ]),
    ...plan.blocked.map(({ device, reason }) => `${device} cannot be wiped: ${reason}`),
    ...plan.skipped.map(({ device, reason }) => `${device} skipped: ${reason}`),
  ];
}

function methodLines(who: string, { name, commands, promise, estimateSeconds }: Method): string[] {
  const after = promise === 'zero' ? 'reads zeroes' : 'reads nothing of before';
  return [
    `${who} ${name}, about ${duration(estimateSeconds)}, then ${after}`,
    ...commands.map((argv) => `    ${JSON.stringify(argv)}`),
  ];
}

/** A plan for programs. */
export function planJson({ units, skipped, blocked }: WipePlan): unknown {
  return { units, skipped, blocked };
}

export function reportLines({ verdict, disks }: WipeReport): string[] {
  return [...disks.flatMap(outcomeLines), `verdict: ${verdict}`];
}

/** What became of a disk, in one line, and one for each method that did not work. */
function outcomeLines(outcome: DiskOutcome): string[] {
  const { device } = outcome;
  if (outcome.state === 'skipped') return [`${device} skipped: ${outcome.reason}`];
  const attempts = outcome.attempts.map(({ method, reason }) => `${device} tried ${method}: ${reason}`);
  if (outcome.state === 'failed') return [...attempts, `${device} failed: ${outcome.reason}`];
  const { method, seconds, samples, tellingSamples, notes } = outcome;
  const proof = `${samples} places read back, ${tellingSamples} of them had content`;
  return [
    ...attempts,
    ...notes.map((note) => `${device} note: ${note}`),
    `${device} wiped by ${method} in ${duration(seconds)}: ${proof}`,
  ];
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
