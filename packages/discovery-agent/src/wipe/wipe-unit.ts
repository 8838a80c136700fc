import type { Entropy } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import type { BlockDisk } from './block-disk.ts';
import { awaitEarlier } from './earlier.ts';
import type { EarlierParts } from './earlier.ts';
import type { Method } from './method.ts';
import type { DiskPlan, WipeUnit } from './plan.ts';
import type { DiskOutcome, WipeAttempt } from './report.ts';
import { runMethod, runShort } from './run-method.ts';
import { disproof, endsOf, samplePlaces, telling } from './samples.ts';
import type { Place, Sample } from './samples.ts';

export interface UnitParts extends EarlierParts {
  readonly entropy: Entropy;
  readonly open: (device: string) => Promise<BlockDisk>;
}

/** A disk at work: held open, and what was on it before. */
interface Session {
  readonly plan: DiskPlan;
  readonly disk: BlockDisk;
  readonly before: readonly Sample[];
  readonly startedMs: number;
  readonly attempts: WipeAttempt[];
}

/** So many blank places get noise before the wipe, so that a disk that looks empty can show that it was wiped, too. */
const maxPlanted = 32;
/** Only places of this size and below are planted: the ends of a disk are the last thing to write noise to. */
const maxPlantedBytes = 65_536;
const keyBytes = 32;

/** Wipes the disks of a unit. Never rejects: whatever goes wrong is the outcome of a disk, and the others go on. */
export async function wipeUnit(parts: UnitParts, unit: WipeUnit): Promise<DiskOutcome[]> {
  const outcomes: DiskOutcome[] = [];
  const fail = (device: string, error: unknown, attempts: readonly WipeAttempt[] = []): void =>
    void outcomes.push({ device, state: 'failed', reason: reasonOf(error), attempts });
  const where = unit.controller ?? unit.disks[0]?.device ?? '';
  const sessions: Session[] = [];
  try {
    await awaitEarlier(parts, unit, where);
    for (const plan of unit.disks) {
      try {
        sessions.push(await begin(parts, plan));
      } catch (error) {
        fail(plan.device, error);
      }
    }
    // A namespace that could not be had, because someone uses it, say, must not be hit by what is meant for the others.
    const complete = sessions.length === unit.disks.length;
    const refused = complete ? undefined : `would reach ${outcomes.map(({ device }) => device).join(', ')}, too`;
    let left = sessions;
    let subsystemWiped = false;
    for (const method of unit.together) {
      if (left.length === 0) break;
      const reason = refused ?? (await attempt(parts, method, left, where));
      if (reason !== undefined) {
        for (const session of left) session.attempts.push({ method: method.name, reason });
        continue;
      }
      subsystemWiped ||= method.completion === 'nvme-sanitize';
      left = await settle(parts, method, left, outcomes);
    }
    for (const session of left) outcomes.push(await wipeAlone(parts, session, where));
    if (!subsystemWiped)
      for (const nsid of unit.hiddenNamespaces)
        fail(
          `${where} namespace ${nsid}`,
          'it has no block device here and no sanitize reached it: attach or delete it',
        );
  } catch (error) {
    const done = new Set(outcomes.map(({ device }) => device));
    for (const { device } of unit.disks)
      if (!done.has(device)) fail(device, error, sessions.find(({ plan }) => plan.device === device)?.attempts);
  } finally {
    await Promise.all(sessions.map(({ disk }) => disk.close().catch(() => undefined)));
  }
  // Only now that nobody holds the disk the kernel may forget its partitions.
  await Promise.all(sessions.map(({ plan }) => forgetPartitions(parts, plan, outcomes)));
  return outcomes;
}

async function begin(parts: UnitParts, plan: DiskPlan): Promise<Session> {
  const startedMs = parts.clock.monotonic();
  await runShort(parts, plan.preparation);
  const disk = await parts.open(plan.device);
  try {
    parts.onProgress({ device: plan.device, method: 'sampling', fraction: 0, secondsLeft: undefined });
    const places = samplePlaces(plan, parts.entropy);
    const found = await disk.sample(places);
    const blank = found.filter((sample) => !('error' in sample) && sample.uniform !== undefined);
    const chosen = blank.map(({ place }) => place).filter(({ length }) => length <= maxPlantedBytes);
    const before = await plant(parts, disk, chosen.slice(0, maxPlanted), places, found);
    return { plan, disk, before, startedMs, attempts: [] };
  } catch (error) {
    await disk.close();
    throw error;
  }
}

/** A disk that cannot be written is found out by the methods, which say it better. */
async function plant(
  parts: UnitParts,
  disk: BlockDisk,
  chosen: readonly Place[],
  places: readonly Place[],
  found: readonly Sample[],
): Promise<readonly Sample[]> {
  if (chosen.length === 0) return found;
  try {
    await disk.plant(chosen, parts.entropy.bytes(keyBytes));
  } catch (error) {
    parts.signal.throwIfAborted();
    if (error instanceof AgentError) throw error;
    return found;
  }
  return await disk.sample(places);
}

/** Methods of the disk's own, until one is carried out and verified. */
async function wipeAlone(parts: UnitParts, session: Session, where: string): Promise<DiskOutcome> {
  const { plan, attempts } = session;
  for (const method of plan.methods) {
    const follow = method.completion === 'nvme-sanitize' ? where : plan.device;
    const reason = (await attempt(parts, method, [session], follow)) ?? (await verify(session, method));
    if (reason === undefined) return wiped(parts, session, method);
    attempts.push({ method: method.name, reason });
    if (parts.signal.aborted) break;
  }
  const [last] = attempts.slice(-1);
  const reason = parts.signal.aborted ? reasonOf(parts.signal.reason) : `${last?.method}: ${last?.reason}`;
  return { device: plan.device, state: 'failed', reason, attempts };
}

/**
 * Rejects when the disk hangs, which is the end for it: what would be tried next waits behind the command that never
 * came back.
 *
 * @returns why it failed, in words; undefined when the commands succeeded
 */
async function attempt(
  parts: UnitParts,
  method: Method,
  sessions: readonly Session[],
  where: string,
): Promise<string | undefined> {
  const [first] = sessions;
  if (first === undefined) return undefined;
  try {
    const target = { sizeBytes: endOf(first.plan), open: first.disk };
    await runMethod(parts, method, target, where, (fraction, secondsLeft) => {
      for (const { plan } of sessions)
        parts.onProgress({ device: plan.device, method: method.name, fraction, secondsLeft });
    });
    return undefined;
  } catch (error) {
    if (error instanceof AgentError && error.code === AgentErrorCode.Hung) throw error;
    const undone = parts.signal.aborted ? undefined : await undo(parts, method);
    return undone === undefined ? reasonOf(error) : `${reasonOf(error)}; then ${undone}`;
  }
}

async function undo(parts: UnitParts, method: Method): Promise<string | undefined> {
  try {
    await runShort(parts, method.undo);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Sorts the disks of a common method into those that are verified, whose outcome is added, and the rest. */
async function settle(
  parts: UnitParts,
  method: Method,
  sessions: readonly Session[],
  outcomes: DiskOutcome[],
): Promise<Session[]> {
  const left: Session[] = [];
  for (const session of sessions) {
    const reason = await verify(session, method);
    if (reason === undefined) outcomes.push(wiped(parts, session, method));
    else {
      session.attempts.push({ method: method.name, reason });
      left.push(session);
    }
  }
  return left;
}

/** Reads the samples again, past the page cache, and leaves zeroes at both ends: no signature, whatever the method left. */
async function verify({ plan, disk, before }: Session, method: Method): Promise<string | undefined> {
  try {
    const places = before.map(({ place }) => place);
    const reason = disproof(before, await disk.sample(places), method.promise);
    if (reason !== undefined || method.promise === 'zero') return reason;
    const ends = [...endsOf(plan)];
    await disk.zero(ends);
    const cleared = await disk.sample(ends);
    return disproof(cleared, cleared, 'zero');
  } catch (error) {
    return reasonOf(error);
  }
}

function wiped(parts: UnitParts, session: Session, method: Method): DiskOutcome {
  const { plan, before, startedMs, attempts } = session;
  parts.onProgress({ device: plan.device, method: method.name, fraction: 1, secondsLeft: 0 });
  return {
    device: plan.device,
    state: 'wiped',
    method: method.name,
    seconds: Math.round((parts.clock.monotonic() - startedMs) / 1000),
    samples: before.length,
    tellingSamples: telling(before).length,
    attempts,
    notes: [...plan.hints],
  };
}

function endOf({ sizeBytes, logicalBlockBytes }: DiskPlan): number {
  return Math.floor(sizeBytes / logicalBlockBytes) * logicalBlockBytes;
}

/** The kernel goes on showing the partitions that it once read; a device that has none says it cannot. */
async function forgetPartitions(parts: UnitParts, plan: DiskPlan, outcomes: DiskOutcome[]): Promise<void> {
  const index = outcomes.findIndex(({ device, state }) => device === plan.device && state === 'wiped');
  const outcome = outcomes[index];
  if (outcome?.state !== 'wiped' || plan.partitionEdges.length === 0 || parts.signal.aborted) return;
  try {
    await runShort(parts, [['blockdev', '--rereadpt', plan.device]]);
  } catch (error) {
    const note = `the kernel still shows old partitions: ${reasonOf(error)}`;
    outcomes[index] = { ...outcome, notes: [...outcome.notes, note] };
  }
}
