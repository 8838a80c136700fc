import { retrySchedule } from '@ingot/net';
import type { BmcSearch } from '../bmc/bmc.ts';
import { inspectBmc } from '../bmc/configure-bmc.ts';
import { reasonOf } from '../errors.ts';
import { LldpPace } from '../lldp/sending.ts';
import { EventType } from './api.ts';
import { missingOfBmc, setUpBmcLater } from './bmc-later.ts';
import { sendLldp } from './discover.ts';
import type { Discovered } from './discover.ts';
import type { Life } from './parts.ts';
import { plannedRebootInMs, rebootAsPlanned } from './planned-reboot.ts';
import { askStanding } from './standing.ts';

/** The server notices a broken stream some seconds late; a second one before that would confuse it. */
const reconnectMs = { initialMs: 14_000, maxMs: 60_000, jitter: 0.5 };
/** A stream that lives, and says nothing any more, is found out by asking: upstream's can hang for good. */
const askEveryMs = 300_000;
const roundMs = 180_000;
/** A planned reboot that was called off is tried again. */
const rebootAgainMs = 3_600_000;

/** Why a machine does not wait any longer. */
export type WaitingEnd = 'allocated' | 'wipe-ordered' | 'bmc-answers';

/** Waits until there is something else to do. What the BMC lacks is made up for beside that. */
export async function waitForWork(life: Life, registered: Discovered): Promise<WaitingEnd> {
  const over = new AbortController();
  const beside = setUpBmcLater({ ...life, signal: AbortSignal.any([life.signal, over.signal]) }, registered);
  // It says itself what fails.
  const ended = beside.catch(() => undefined);
  try {
    return await holdStream(life, registered.bmc);
  } finally {
    over.abort(new Error('the machine does not wait any more'));
    await ended;
  }
}

/** Holds one Wait stream at a time, opened again when it breaks. */
async function holdStream(life: Life, bmc: BmcSearch): Promise<WaitingEnd> {
  const { reporter, clock, entropy, signal, session, outbox, board, pulse } = life;
  const hours = session.config.policy.autoRebootHours;
  const rebootInMs = plannedRebootInMs(hours, entropy);
  reporter.enter('waiting', 'for an allocation');
  const until = rebootInMs === undefined ? '' : `; planned reboot in ${Math.round(rebootInMs / 3_600_000)} h`;
  const missing = missingOfBmc(life, bmc);
  outbox.post(EventType.WAITING, `waiting for allocation${until}${missing === undefined ? '' : `; BMC: ${missing}`}`);

  await sendLldp(life, LldpPace.waiting);
  let found: WaitingEnd | undefined;
  let rebootAtMs = rebootInMs === undefined ? Infinity : clock.monotonic() + rebootInMs;
  let delays = retrySchedule({ ...reconnectMs, entropy });
  for (;;) {
    // Nothing of the agent's own can hang here but the stream, and that is watched by asking.
    pulse.rest('life');
    const leave = new AbortController();
    const over = new AbortController();
    const looking = { ...life, signal: AbortSignal.any([signal, over.signal]) };
    const ask = async (): Promise<void> => {
      found ??= (await workFor(life)) ?? (await bmcIsBack(looking, bmc));
      if (found !== undefined || clock.monotonic() >= rebootAtMs)
        leave.abort(new Error('there is something else to do'));
    };
    const asking = clock.setInterval(() => void ask().catch(() => undefined), askEveryMs);
    const stop = AbortSignal.any([signal, session.replaced, leave.signal]);
    const { replaced } = session;
    let why = 'the server ended the stream';
    let mended = false;
    board.show({ api: `${session.config.apiUrl}, waiting there`, waitsFor: 'an allocation' });
    try {
      for await (const allocated of session.api.wait(stop)) {
        delays = retrySchedule({ ...reconnectMs, entropy });
        if (allocated) return 'allocated';
      }
    } catch (error) {
      why = reasonOf(error);
      mended = await session.mend(error);
    } finally {
      asking.cancel();
      over.abort(new Error('the machine does not wait any more'));
    }
    signal.throwIfAborted();
    pulse.beat('life', roundMs);
    found ??= await workFor(life);
    if (found !== undefined) return found;
    if (clock.monotonic() >= rebootAtMs) {
      reporter.say('waiting', `no planned reboot: ${await rebootAsPlanned(life, hours)}`);
      rebootAtMs = clock.monotonic() + rebootAgainMs;
    }
    if (mended || replaced.aborted || leave.signal.aborted) continue;
    const delayMs = delays.next().value ?? reconnectMs.maxMs;
    board.show({ api: `${session.config.apiUrl}, lost: ${why}` });
    reporter.say('waiting', `lost the API: ${why}; again in ${Math.ceil(delayMs / 1000)} s`);
    await clock.sleep(delayMs, signal);
  }
}

async function workFor({ session, clock, signal }: Life): Promise<WaitingEnd | undefined> {
  const standing = await askStanding(session, () => clock.monotonic(), signal);
  if (standing.kind === 'allocated') return 'allocated';
  return standing.kind === 'free' && standing.wipe !== undefined ? 'wipe-ordered' : undefined;
}

/** Whether a BMC that was registered as unknown tells now who it is. Changes nothing on it. */
async function bmcIsBack(life: Life, registered: BmcSearch): Promise<WaitingEnd | undefined> {
  if (registered.kind !== 'unusable') return undefined;
  return (await inspectBmc(life)).kind === 'found' ? 'bmc-answers' : undefined;
}
