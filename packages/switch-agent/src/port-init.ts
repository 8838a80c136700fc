import type { Clock } from '@ingot/net';
import { pause } from './loop.ts';
import type { Problems } from './problems.ts';
import type { SonicDb } from './sonic-db.ts';

const PERIOD_MS = 1000;
const SAY_AGAIN_MS = 60_000;

export interface PortInitOptions {
  readonly appDb: SonicDb;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly log: { info(bindings: object, message: string): void };
  readonly signal: AbortSignal;
}

/**
 * Waits until SONiC's port initialisation is over, that is, until orchagent has written `PORT_TABLE:PortInitDone` to
 * APPL_DB; before that CONFIG_DB and the netdevs disagree. Asks every second for as long as it takes, and says so at
 * the start and every minute. False when the signal ended the waiting.
 */
export async function waitForPortInit(options: PortInitOptions): Promise<boolean> {
  const { appDb, clock, problems, log, signal } = options;
  const startedMs = clock.monotonic();
  let saidMs: number | undefined;
  while (!signal.aborted) {
    try {
      const done = await appDb.exists('PORT_TABLE', 'PortInitDone');
      problems.clear('app-db');
      if (done) {
        problems.clear('port-init');
        log.info({ waitedMs: Math.round(clock.monotonic() - startedMs) }, 'the ports are initialised');
        return true;
      }
      problems.report(
        'port-init',
        'SONiC has not finished initialising its ports: APPL_DB has no PORT_TABLE:PortInitDone (are swss and syncd up?)',
      );
    } catch (error) {
      if (signal.aborted) return false;
      problems.report('app-db', error);
    }
    const nowMs = clock.monotonic();
    if (saidMs !== undefined && nowMs - saidMs >= SAY_AGAIN_MS) {
      log.info({ waitedMs: Math.round(nowMs - startedMs) }, 'still waiting for SONiC to initialise its ports');
      saidMs = nowMs;
    }
    saidMs ??= nowMs;
    if (!(await pause(clock, PERIOD_MS, signal))) return false;
  }
  return false;
}
