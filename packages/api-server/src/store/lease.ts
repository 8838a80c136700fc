import type { Clock } from '@ingot/net';
import type { Sql } from './database.ts';

/**
 * A right that one server has at a time. It ends by itself, by the clocks of the servers, which NTP keeps closer than
 * any lifetime here; what is done under it must still bear being done twice. One that ends later than anybody could have
 * promised by now is of a clock that was wrong, and counts for nothing.
 */
export interface Lease {
  /** Takes it, or keeps it for another while. False while somebody else has it. */
  take(): Promise<boolean>;
  /** Lets the next one have it at once. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly session: Sql;
  readonly clock: Clock;
  readonly name: string;
  /** This server, for this run. */
  readonly holder: string;
  readonly lifetimeMs: number;
}

export function createLease({ session, clock, name, holder, lifetimeMs }: LeaseOptions): Lease {
  return {
    async take() {
      const now = clock.now();
      const written = await session.run(
        `INSERT INTO lease (name, holder, until) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
         WHERE lease.holder = excluded.holder OR lease.until <= ? OR lease.until > ?`,
        name,
        holder,
        now + lifetimeMs,
        now,
        now + 2 * lifetimeMs,
      );
      return written > 0;
    },
    async release() {
      await session.run('DELETE FROM lease WHERE name = ? AND holder = ?', name, holder);
    },
  };
}
