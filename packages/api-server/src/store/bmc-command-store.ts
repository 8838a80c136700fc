import type { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Row, Session } from './database.ts';
import { number, optionalNumber, optionalText, text } from './row.ts';

/** Something that a management controller is to do. */
export interface BmcCommand {
  readonly id: string;
  readonly machine: string;
  readonly partition: string;
  readonly command: apiV2.MachineBMCCommand;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When a worker took it last. */
  readonly deliveredAt: number | undefined;
  readonly doneAt: number | undefined;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** Commands for management controllers, until whoever looks after the controllers has acknowledged them. */
export interface BmcCommandStore {
  /** Told in the channel `bmc_command`, with the partition. */
  add(id: string, machine: string, partition: string, command: apiV2.MachineBMCCommand): Promise<void>;
  get(id: string): Promise<BmcCommand | undefined>;
  /**
   * Takes the oldest open command of a partition. One that was taken and not acknowledged within `RETAKEN_AFTER_MS` is given
   * out again: its worker was killed. Older ones than `FORGOTTEN_AFTER_MS` are not given out: nobody expects them any more.
   */
  take(partition: string): Promise<BmcCommand | undefined>;
  /** False for one that is not there, or done already. */
  done(id: string, error: string | undefined): Promise<boolean>;
  /** Newest first. */
  list(count: number, offset: number): Promise<BmcCommand[]>;
  deleteOf(machine: string): Promise<void>;
  /** Forgets what was done, or lost, more than a day ago. */
  sweep(): Promise<void>;
}

/** Longer than a controller takes to answer, retries included. */
const RETAKEN_AFTER_MS = 2 * 60_000;
/** A machine that is switched off an hour late surprises somebody. */
export const FORGOTTEN_AFTER_MS: number = 10 * 60_000;
const KEPT_MS = 24 * 60 * 60_000;

export function createBmcCommandStore(session: Session, clock: Clock): BmcCommandStore {
  return {
    async add(id, machine, partition, command) {
      await session.transaction(async (inner) => {
        await inner.run(
          'INSERT INTO bmc_command (id, machine, partition, command, created_at) VALUES (?, ?, ?, ?, ?)',
          id,
          machine,
          partition,
          command,
          clock.now(),
        );
        await inner.notify('bmc_command', partition);
      });
    },
    async get(id) {
      const row = await session.get('SELECT * FROM bmc_command WHERE id = ?', id);
      return row === undefined ? undefined : toCommand(row);
    },
    take: (partition) =>
      session.transaction(
        async (inner) => {
          const now = clock.now();
          const row = await inner.get(
            `SELECT * FROM bmc_command WHERE partition = ? AND done_at IS NULL AND created_at > ?
             AND (delivered_at IS NULL OR delivered_at <= ?) ORDER BY created_at, id LIMIT 1`,
            partition,
            now - FORGOTTEN_AFTER_MS,
            now - RETAKEN_AFTER_MS,
          );
          if (row === undefined) return undefined;
          const command = toCommand(row);
          await inner.run('UPDATE bmc_command SET delivered_at = ? WHERE id = ?', now, command.id);
          return command;
        },
        { serialise: `bmc:${partition}` },
      ),
    async done(id, error) {
      const changed = await session.run(
        'UPDATE bmc_command SET done_at = ?, error = ? WHERE id = ? AND done_at IS NULL',
        clock.now(),
        error ?? null,
        id,
      );
      return changed > 0;
    },
    async list(count, offset) {
      const rows = await session.all(
        'SELECT * FROM bmc_command ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?',
        count,
        offset,
      );
      return rows.map(toCommand);
    },
    async deleteOf(machine) {
      await session.run('DELETE FROM bmc_command WHERE machine = ?', machine);
    },
    async sweep() {
      await session.run('DELETE FROM bmc_command WHERE created_at < ?', clock.now() - KEPT_MS);
    },
  };
}

function toCommand(row: Row): BmcCommand {
  return {
    id: text(row, 'id'),
    machine: text(row, 'machine'),
    partition: text(row, 'partition'),
    command: bmcCommandOf(number(row, 'command')),
    createdAt: number(row, 'created_at'),
    deliveredAt: optionalNumber(row, 'delivered_at'),
    doneAt: optionalNumber(row, 'done_at'),
    error: optionalText(row, 'error'),
  };
}

/** Enums are numbers on the wire and in the database; any that we stored is one of the contract. */
function bmcCommandOf(value: number): apiV2.MachineBMCCommand {
  const known: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
  return isOneOf(value, known) ? value : 0;
}

function isOneOf(value: number, known: readonly number[]): value is apiV2.MachineBMCCommand {
  return known.includes(value);
}
