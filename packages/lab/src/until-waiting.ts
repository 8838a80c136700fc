import { apiV2, timestampMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { ApiView } from './api-view.ts';
import type { RackMachine } from './rack.ts';
import type { Phase } from './timeline.ts';
import { phases } from './timeline.ts';

const pollMs = 400;

/** See {@link Rack.untilWaiting}. An API that is away is asked again: it may be starting. */
export async function untilWaiting(
  api: ApiView,
  machine: RackMachine,
  timeoutMs: number,
  signal: AbortSignal,
  clock: Clock,
): Promise<string | undefined> {
  const start = clock.monotonic();
  let problem = '';
  while (!signal.aborted) {
    try {
      const known = (await api.machines()).find(({ uuid }) => uuid === machine.identity.uuid);
      if (known !== undefined) noteProgress(known, machine);
      problem = '';
    } catch (error) {
      problem = `; the API does not answer: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (machine.timeline.reachedMs.has('waiting')) return undefined;
    if (!machine.power.isOn())
      return `it went off after ${lastPhase(machine)} (see ${machine.part.logFile} and ${machine.consoleLog})`;
    if (clock.monotonic() - start > timeoutMs)
      return `${timeoutMs / 1000} s are over and it got no further than "${lastPhase(machine)}"${problem} (see ${machine.consoleLog})`;
    await clock.sleep(pollMs);
  }
  return undefined;
}

function lastPhase(machine: RackMachine): Phase {
  return phases.findLast((phase) => machine.timeline.reachedMs.has(phase)) ?? 'power';
}

/** What the API knows of the present boot counts, not what the machine says of itself. */
function noteProgress(known: apiV2.Machine, machine: RackMachine): void {
  const { REGISTERING, WAITING } = apiV2.MachineProvisioningEventType;
  const events = (known.recentProvisioningEvents?.events ?? []).filter(
    ({ time }) => time !== undefined && timestampMs(time) >= machine.timeline.startedAtMs,
  );
  const [last] = events; // newest first
  const registering = events.find(({ event }) => event === REGISTERING)?.time;
  const storedAfterwards =
    registering !== undefined &&
    known.meta?.updatedAt !== undefined &&
    timestampMs(known.meta.updatedAt) >= timestampMs(registering);
  if (known.rack !== '' && (storedAfterwards || last?.event === WAITING)) machine.timeline.reach('registered');
  if (last?.event === WAITING) machine.timeline.reach('waiting');
}
