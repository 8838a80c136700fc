import { ApiError, apiV2, Code, timestampMs } from '@ingot/api';
import { reasonOf } from '../errors.ts';
import { EventType } from './api.ts';
import type { Session } from './session.ts';

/** What the API says this machine is. Only `free` with a wipe order ever leads to anything being erased. */
export type Standing =
  | {
      readonly kind: 'free';
      /** The open order to erase the disks, with the answer that a permit is made from. */
      readonly wipe: WipeOrder | undefined;
      /** An operator wants no planned reboots. */
      readonly noReboot: boolean;
    }
  | {
      readonly kind: 'allocated';
      readonly name: string;
      /** It was sent to its disk a short while ago, and has come back by the network since. */
      readonly cameBack: boolean;
    }
  | {
      readonly kind: 'unknown';
      /** `refused`: this API does not tell machines; asking again changes nothing by itself. */
      readonly why: 'refused' | 'unregistered' | 'unreachable';
      readonly reason: string;
    };

export interface WipeOrder {
  readonly id: string;
  readonly machine: apiV2.Machine;
  /** Monotonic time of the answer, milliseconds. */
  readonly askedAtMs: number;
}

const wipeLabel = 'ingot.dev/wipe';
const noRebootLabel = 'ingot.dev/no-reboot';

/** How the event begins by which a machine leaves for its disk; the next boot recognises it. */
export const toDiskWords = 'allocated: starting from its disk';
/** A large server needs ten minutes from reset to PXE. */
const cameBackWithinMs = 30 * 60_000;

/** Asks the API once. Never rejects but with the signal's reason: what cannot be found out is `unknown`. */
export async function askStanding(session: Session, monotonic: () => number, signal: AbortSignal): Promise<Standing> {
  try {
    const machine = await session.call((api) => api.machine(signal));
    return standingOf(machine, monotonic());
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'unknown', why: whyOf(error), reason: reasonOf(error) };
  }
}

function standingOf(machine: apiV2.Machine | undefined, askedAtMs: number): Standing {
  if (machine === undefined)
    return { kind: 'unknown', why: 'unregistered', reason: 'the API does not know this machine yet' };
  if (machine.allocation !== undefined)
    return { kind: 'allocated', name: machine.allocation.name, cameBack: cameBack(machine.recentProvisioningEvents) };
  const labels = machine.meta?.labels?.labels ?? {};
  const order = labels[wipeLabel] ?? '';
  return {
    kind: 'free',
    wipe: order === '' ? undefined : { id: order, machine, askedAtMs },
    noReboot: labels[noRebootLabel] !== undefined,
  };
}

function whyOf(error: unknown): 'refused' | 'unregistered' | 'unreachable' {
  if (!(error instanceof ApiError)) return 'unreachable';
  if (error.code === Code.PermissionDenied || error.code === Code.Unimplemented) return 'refused';
  return error.code === Code.NotFound ? 'unregistered' : 'unreachable';
}

/** By the server's clock alone: this machine's may have been wrong when it left. */
function cameBack(recent: apiV2.MachineRecentProvisioningEvents | undefined): boolean {
  const nowMs = recent?.lastEventTime === undefined ? 0 : timestampMs(recent.lastEventTime);
  for (const { event, message, time } of recent?.events ?? []) {
    if (event === EventType.PHONED_HOME || event === EventType.MACHINE_RECLAIM) return false;
    if (event === EventType.PLANNED_REBOOT && message.startsWith(toDiskWords))
      return time !== undefined && nowMs - timestampMs(time) <= cameBackWithinMs;
  }
  return false;
}
