import { setTimeout as pause } from 'node:timers/promises';
import { apiV2, createClient, infraV2, type Channel } from '@ingot/api';
import { median } from '../bench/support/compare.ts';

/** What all of them are about. */
export const MACHINE = 'aaaaaaaa-0000-4000-8000-00000000000a';
const HONEST_PAUSE_MS = 20;
const PATIENCE_MS = 20_000;

/** What an honest client saw. */
export interface Honest {
  readonly tried: number;
  readonly served: number;
  readonly medianMs: number;
  readonly longestMs: number;
  /** Of the last call that failed. */
  readonly complaint: string | undefined;
}

/** An agent: events one after the other, tried again as agents do; `isFresh`: over a new connection each time. */
export async function keepCalling(open: () => Channel, isFresh: boolean, signal: AbortSignal): Promise<Honest> {
  const took: number[] = [];
  let tried = 0;
  let complaint: string | undefined;
  let channel = open();
  const event = { event: apiV2.MachineProvisioningEventType.ALIVE, message: 'honest' };
  while (!signal.aborted) {
    tried += 1;
    const startedAt = performance.now();
    const call = async (): Promise<boolean> => {
      try {
        await createClient(infraV2.EventService, channel).send(
          { events: { [MACHINE]: event } },
          { timeoutMs: PATIENCE_MS },
        );
        return true;
      } catch (error) {
        complaint = error instanceof Error ? error.message : String(error);
        return false;
      }
    };
    let isServed = await call();
    while (!isServed && performance.now() - startedAt < PATIENCE_MS) {
      await pause(250);
      isServed = await call();
    }
    if (isServed) took.push(performance.now() - startedAt);
    if (isFresh) {
      channel.close();
      channel = open();
    }
    await pause(HONEST_PAUSE_MS);
  }
  return {
    tried,
    served: took.length,
    medianMs: took.length === 0 ? Number.NaN : median(took),
    longestMs: took.reduce((most, ms) => Math.max(most, ms), 0),
    complaint,
  };
}

/** Why the stream of a waiting machine ended before the attack did. */
export async function waitForMachine(channel: Channel, signal: AbortSignal): Promise<string | undefined> {
  try {
    await Array.fromAsync(createClient(infraV2.BootService, channel).wait({ uuid: MACHINE }, { signal }));
    return 'the server has ended it';
  } catch (error) {
    if (signal.aborted) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}
