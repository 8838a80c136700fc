import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { hex, messageTypeName, type DhcpOutline } from '@ingot/wire';
import { createRefusalLog } from './refusal-log.ts';
import type { Refusal, Tally } from './tally.ts';

/** Counts and says what becomes of packets. */
export interface Reporter {
  readonly tally: Tally;
  /** `link`: '' where it is not known. `details` are asked for only if there is a line. */
  refused(link: string, reason: Refusal, why: string, details: () => Record<string, unknown>): void;
  /** A line at level debug; undefined where nobody reads it. */
  readonly trace:
    | ((event: string, link: string, outline: DhcpOutline, details: Record<string, unknown>) => void)
    | undefined;
}

export function createReporter(log: Logger, clock: Clock, tally: Tally, isTraced: boolean): Reporter {
  const refusals = createRefusalLog(log, clock);
  return {
    tally,
    refused: (link, reason, why, details) => {
      tally.refused(link, reason);
      refusals.say(link, reason, why, details);
    },
    trace: isTraced
      ? (event, link, { messageType, xid }, details) => {
          const type = messageType === undefined ? 'BOOTP' : messageTypeName(messageType);
          log.debug({ event, link, type, xid, ...details }, `${link}: ${type}`);
        }
      : undefined,
  };
}

export function textOfMac(mac: Uint8Array): string {
  return hex(mac, ':');
}
