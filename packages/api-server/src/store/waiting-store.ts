import type { Clock } from '@ingot/net';
import type { Session } from './database.ts';
import { text } from './row.ts';
import { inParts, sqlList } from './sql-list.ts';

/** Which machines hold a Wait stream, at any server. Each has one seat, the newest. */
export interface WaitingStore {
  /** Takes the machine's seat, from whoever has it; told in the channel `waiting`. */
  enter(machine: string, seat: string): Promise<void>;
  /** Gives it up, unless somebody else has it by now. */
  leave(machine: string, seat: string): Promise<void>;
  /** Keeps these seats for another while; answers those that were lost. */
  renew(seats: readonly string[]): Promise<string[]>;
  seatOf(machine: string): Promise<string | undefined>;
  isWaiting(machine: string): Promise<boolean>;
  /** Every machine that waits. */
  all(): Promise<Set<string>>;
  /** Forgets seats of servers that are gone; with `everything`, all: for a server that is the only one. */
  sweep(everything?: boolean): Promise<void>;
}

/** How long the machines of a server that was killed still count as waiting. */
const SEAT_LIFETIME_MS = 90_000;

export function createWaitingStore(session: Session, clock: Clock): WaitingStore {
  // One that ends later than anybody could have promised by now is of a clock that was wrong.
  const current = (): [number, number] => [clock.now(), clock.now() + 2 * SEAT_LIFETIME_MS];
  const seatOf = async (machine: string): Promise<string | undefined> => {
    const row = await session.get(
      'SELECT seat FROM waiting WHERE machine = ? AND until > ? AND until <= ?',
      machine,
      ...current(),
    );
    return row === undefined ? undefined : text(row, 'seat');
  };
  return {
    seatOf,
    isWaiting: async (machine) => (await seatOf(machine)) !== undefined,
    async enter(machine, seat) {
      await session.transaction(async (inner) => {
        await inner.run(
          `INSERT INTO waiting (machine, seat, until) VALUES (?, ?, ?)
           ON CONFLICT (machine) DO UPDATE SET seat = excluded.seat, until = excluded.until`,
          machine,
          seat,
          clock.now() + SEAT_LIFETIME_MS,
        );
        await inner.notify('waiting', machine);
      });
    },
    async leave(machine, seat) {
      await session.run('DELETE FROM waiting WHERE machine = ? AND seat = ?', machine, seat);
    },
    async renew(seats) {
      const lost: string[] = [];
      for (const part of inParts(seats)) {
        const { marks, values } = sqlList(part);
        const kept = await session.transaction(async (inner) => {
          await inner.run(
            `UPDATE waiting SET until = ? WHERE seat IN (${marks})`,
            clock.now() + SEAT_LIFETIME_MS,
            ...values,
          );
          return inner.all(`SELECT seat FROM waiting WHERE seat IN (${marks})`, ...values);
        });
        const found = new Set(kept.map((row) => text(row, 'seat')));
        lost.push(...part.filter((seat) => !found.has(seat)));
      }
      return lost;
    },
    async all() {
      const rows = await session.all('SELECT machine FROM waiting WHERE until > ? AND until <= ?', ...current());
      return new Set(rows.map((row) => text(row, 'machine')));
    },
    async sweep(everything = false) {
      if (everything) await session.run('DELETE FROM waiting');
      else await session.run('DELETE FROM waiting WHERE until <= ? OR until > ?', ...current());
    },
  };
}
