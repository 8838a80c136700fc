import { apiV2, enumText, timestampMs } from '@ingot/api';

const { MachineProvisioningEventType: Type } = apiV2;

/** What an allocated machine goes through, in this order, each with the event that says it is behind. */
export const PHASES: readonly { readonly name: string; readonly done: apiV2.MachineProvisioningEventType }[] = [
  { name: 'take the allocation', done: Type.INSTALLING },
  { name: 'install', done: Type.BOOTING_NEW_KERNEL },
  { name: 'boot the installed system', done: Type.PHONED_HOME },
];

/** How far an allocated machine has come. */
export interface Standing {
  /** How many of PHASES are behind it. */
  readonly passed: number;
  /** The newest event since the allocation, in words; empty when there was none. */
  readonly news: string;
  /** When that was, milliseconds since the epoch. */
  readonly newsMs: number | undefined;
  /** Why it does not go on, in words; undefined while it does. */
  readonly failure: string | undefined;
}

/** Reads a machine's events since it was given to somebody. A machine that nobody has has come nowhere. */
export function standingOf(machine: apiV2.Machine): Standing {
  const { allocation } = machine;
  if (allocation === undefined)
    return { passed: 0, news: '', newsMs: undefined, failure: 'nobody has this machine any more' };
  const sinceMs = allocation.meta?.createdAt === undefined ? 0 : timestampMs(allocation.meta.createdAt);
  const events = (machine.recentProvisioningEvents?.events ?? [])
    .map((event) => ({ ...event, ms: event.time === undefined ? 0 : timestampMs(event.time) }))
    .filter(({ ms }) => ms >= sinceMs)
    .toSorted((a, b) => a.ms - b.ms);
  let passed = 0;
  let crash: string | undefined;
  for (const { event, message } of events) {
    // What it says after a crash is that it goes on, from the beginning.
    crash = event === Type.CRASHED ? message : undefined;
    if (event === Type.CRASHED || event === Type.PXE_BOOTING || event === Type.PREPARING) passed = 0;
    const reached = PHASES.findIndex(({ done }) => done === event);
    passed = Math.max(passed, reached + 1);
  }
  const last = events.at(-1);
  const news =
    last === undefined
      ? ''
      : `${enumText(apiV2.MachineProvisioningEventTypeSchema, last.event)}${last.message === '' ? '' : `: ${last.message}`}`;
  return {
    passed,
    news,
    newsMs: last?.ms,
    failure: crash === undefined ? undefined : `it crashed: ${crash === '' ? 'it did not say why' : crash}`,
  };
}
