import type { Entropy } from '@ingot/net';
import { EventType } from './api.ts';
import type { Life } from './parts.ts';
import { restart } from './allocated.ts';
import { askStanding } from './standing.ts';

const hourMs = 3_600_000;
/** Of the hours, so that a rack does not restart in step. */
const jitter = 0.25;
const jitterSteps = 1_000;

/** When a machine that begins to wait now restarts, milliseconds from now; undefined: never. */
export function plannedRebootInMs(hours: number, entropy: Entropy): number | undefined {
  if (hours === 0) return undefined;
  return hours * hourMs * (1 + (entropy.int(jitterSteps) / jitterSteps) * jitter);
}

/**
 * Restarts a machine whose time has come, and which holds no Wait stream any more, so that it cannot be allocated
 * meanwhile. Returns with the reason when it is not to be.
 */
export async function rebootAsPlanned(life: Life, hours: number): Promise<string> {
  const { session, clock, signal, outbox } = life;
  const standing = await askStanding(session, () => clock.monotonic(), signal);
  if (standing.kind === 'allocated') return 'the machine is allocated';
  // Who cannot be asked cannot call it off.
  if (standing.kind === 'unknown') return standing.reason;
  if (standing.noReboot) return 'the machine has the label ingot.dev/no-reboot';
  if (standing.wipe !== undefined) return 'there is a wipe order';
  // A machine that restarts needs the boot server; and whoever runs it may have changed his mind.
  if (!(await session.refresh('before a planned reboot')))
    return 'the boot server does not answer, and is needed to boot';
  if (session.config.policy.autoRebootHours === 0) return 'agent.autoRebootHours of the boot server is 0 now';
  outbox.post(
    EventType.PLANNED_REBOOT,
    `after ${hours} h of waiting, as agent.autoRebootHours of the boot server says`,
  );
  return restart(life);
}
