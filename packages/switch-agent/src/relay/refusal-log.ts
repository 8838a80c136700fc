import type { Clock } from '@ingot/net';
import type { ProblemLog } from '../problems.ts';
import type { Refusal } from './tally.ts';

/** One line a reason and link in that time, which tells how many there were. */
const QUIET_MS = 10_000;

export interface RefusalLog {
  /** `details` end up in the line's fields, if there is one. */
  say(link: string, reason: Refusal, why: string, details: () => Readonly<Record<string, unknown>>): void;
}

/** Says why packets are dropped, without letting a flood of them fill the log. */
export function createRefusalLog(log: ProblemLog, clock: Clock): RefusalLog {
  // One entry for each reason and link: bounded.
  const quiet = new Map<string, { untilMs: number; unsaid: number }>();
  return {
    say: (link, reason, why, details) => {
      const key = `${reason} ${link}`;
      const known = quiet.get(key);
      const now = clock.monotonic();
      if (known !== undefined && now < known.untilMs) {
        known.unsaid += 1;
        return;
      }
      const more = known === undefined || known.unsaid === 0 ? {} : { unsaid: known.unsaid };
      quiet.set(key, { untilMs: now + QUIET_MS, unsaid: 0 });
      log.warn(
        { event: 'relay.refused', link, reason, ...details(), ...more },
        `${link === '' ? 'a DHCP packet' : `${link}: a DHCP packet`} is dropped: ${why}`,
      );
    },
  };
}
