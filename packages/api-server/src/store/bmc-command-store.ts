import { apiV2, enumText } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Row, Session } from './database.ts';
import { number, optionalNumber, optionalText, text } from './row.ts';

const { MachineBMCCommand: Command } = apiV2;

/** Something that a management controller is to do. */
export interface BmcCommand {
  readonly id: string;
  readonly machine: string;
  readonly partition: string;
  readonly command: apiV2.MachineBMCCommand;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When a worker took it last; undefined also while it waits to be tried again. */
  readonly deliveredAt: number | undefined;
  readonly doneAt: number | undefined;
  /** Why it failed, or, while it is open, why the last try did. */
  readonly error: string | undefined;
  /** Tries after the first. */
  readonly retried: number;
  /** When it is tried again. */
  readonly nextTryAt: number | undefined;
  readonly failedAt: number | undefined;
}

/** Commands for management controllers, until whoever looks after the controllers has acknowledged them. */
export interface BmcCommandStore {
  /** Told in the channel `bmc_command`, with the partition. */
  add(id: string, machine: string, partition: string, command: apiV2.MachineBMCCommand): Promise<void>;
  get(id: string): Promise<BmcCommand | undefined>;
  /**
   * Takes the oldest open command of a partition whose machine has no other one under way. One that was taken and not
   * acknowledged within `RETAKEN_AFTER_MS` is given out again, its worker was killed, if that does no harm.
   */
  take(partition: string): Promise<BmcCommand | undefined>;
  /**
   * Takes a result. A failure of what the API itself wants is tried again, `false` for `again` excepted. False for a
   * command that is not there, or has its result.
   */
  done(id: string, error: string | undefined, again?: boolean): Promise<boolean>;
  /** Gives those a result that will get none: given up by their workers, taken by nobody, or overtaken by later ones. */
  settle(): Promise<void>;
  /** Newest first. */
  list(count: number, offset: number): Promise<BmcCommand[]>;
  count(): Promise<number>;
  deleteOf(machine: string): Promise<void>;
  /** Forgets what is more than a day old. */
  sweep(): Promise<void>;
}

/** Longer than a controller takes to answer, retries included. */
export const RETAKEN_AFTER_MS: number = 2 * 60_000;
/** A machine that is switched off an hour late surprises somebody. */
const OPERATORS_WAIT_MS = 10 * 60_000;
/** Nobody looks whether a machine that was given back has left its system. */
const OWN_WAIT_MS = 12 * 60 * 60_000;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 10 * 60_000;
export const KEPT_MS: number = 24 * 60 * 60_000;

/** Twice is not as good as once: the machine, or whoever has it now, would be thrown out another time. */
const NOT_TWICE: ReadonlySet<apiV2.MachineBMCCommand> = new Set([
  Command.MACHINE_BMC_COMMAND_RESET,
  Command.MACHINE_BMC_COMMAND_CYCLE,
]);
/** What the API wants itself, tried again when it fails. */
const OWN: ReadonlySet<apiV2.MachineBMCCommand> = new Set([
  Command.MACHINE_BMC_COMMAND_MACHINE_DELETED,
  Command.MACHINE_BMC_COMMAND_MACHINE_CREATED,
]);
const POWER: readonly apiV2.MachineBMCCommand[] = [
  Command.MACHINE_BMC_COMMAND_ON,
  Command.MACHINE_BMC_COMMAND_OFF,
  Command.MACHINE_BMC_COMMAND_RESET,
  Command.MACHINE_BMC_COMMAND_CYCLE,
  Command.MACHINE_BMC_COMMAND_MACHINE_DELETED,
];
const BOOT: readonly apiV2.MachineBMCCommand[] = [
  Command.MACHINE_BMC_COMMAND_BOOT_TO_BIOS,
  Command.MACHINE_BMC_COMMAND_BOOT_FROM_DISK,
  Command.MACHINE_BMC_COMMAND_BOOT_FROM_PXE,
  Command.MACHINE_BMC_COMMAND_MACHINE_DELETED,
  Command.MACHINE_BMC_COMMAND_MACHINE_CREATED,
];
const LED: readonly apiV2.MachineBMCCommand[] = [
  Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON,
  Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF,
];

const UNKNOWN = 'BMC_UNKNOWN: not known whether it was done';

/** When nobody waits for a command any more, milliseconds since the epoch. */
export function deadlineOf({ command, createdAt }: Pick<BmcCommand, 'command' | 'createdAt'>): number {
  return createdAt + (OWN.has(command) ? OWN_WAIT_MS : OPERATORS_WAIT_MS);
}

/** How often a command is tried again when it fails, at most; 0: never. */
export function maxRetryOf(command: apiV2.MachineBMCCommand): number {
  if (!OWN.has(command)) return 0;
  let tries = 0;
  for (let atMs = 0; atMs <= OWN_WAIT_MS; tries += 1) atMs += pauseAfter(tries);
  return tries;
}

function pauseAfter(retried: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(retried, 20));
}

export function createBmcCommandStore(session: Session, clock: Clock): BmcCommandStore {
  const end = async (sql: Pick<Session, 'run'>, id: string, error: string | undefined): Promise<void> => {
    const now = clock.now();
    await sql.run(
      'UPDATE bmc_command SET done_at = ?, error = ?, run_at = NULL, failed_at = ? WHERE id = ?',
      now,
      error ?? null,
      error === undefined ? null : now,
      id,
    );
  };
  /** Why an open command gets no other result; undefined: it may. */
  const verdict = async (sql: Pick<Session, 'all'>, given: BmcCommand): Promise<string | undefined> => {
    const { command, machine, createdAt, id, deliveredAt, retried, error } = given;
    const now = clock.now();
    const isLost = deliveredAt !== undefined && deliveredAt <= now - RETAKEN_AFTER_MS;
    if (deliveredAt !== undefined && !isLost) return undefined;
    const minutes = RETAKEN_AFTER_MS / 60_000;
    if (isLost && NOT_TWICE.has(command))
      return `${UNKNOWN}: the worker that took it has not told a result within ${minutes} minutes, so it was killed, or the API was away; it is not done a second time: look at the machine, and order it again`;
    if (now >= deadlineOf(given)) {
      if (error !== undefined) return error;
      return isLost || retried > 0
        ? `${UNKNOWN}: workers took it ${retried + 1} times, and none told a result: look at the machine`
        : 'BMC_NOT_TAKEN: nobody took it in time: is the BMC service of the partition running?';
    }
    if (!isLost && retried === 0) return undefined;
    // To do it now would undo what was ordered since.
    const later = await sql.all(
      'SELECT command FROM bmc_command WHERE machine = ? AND (created_at > ? OR (created_at = ? AND id > ?)) ORDER BY created_at, id',
      machine,
      createdAt,
      createdAt,
      id,
    );
    const kinds = [POWER, BOOT, LED].filter((kind) => kind.includes(command));
    const overtaker = later
      .map((row) => bmcCommandOf(number(row, 'command')))
      .find((each) => kinds.some((kind) => kind.includes(each)));
    if (overtaker === undefined) return undefined;
    const name = enumText(apiV2.MachineBMCCommandSchema, overtaker);
    return isLost
      ? `${UNKNOWN}: its worker was killed, and it is not done again since "${name}" was ordered after it`
      : `${error ?? 'it failed'}; not tried again since "${name}" was ordered after it`;
  };
  /** Gives a result to those that will get none; with a partition, to those of this partition. */
  const settle = async (sql: Session, partition: string | undefined): Promise<void> => {
    const now = clock.now();
    const rows = await sql.all(
      `SELECT * FROM bmc_command WHERE done_at IS NULL${partition === undefined ? '' : ' AND partition = ?'}
       AND (delivered_at <= ? OR run_at IS NOT NULL OR created_at <= ?) ORDER BY created_at, id LIMIT 1000`,
      ...(partition === undefined ? [] : [partition]),
      now - RETAKEN_AFTER_MS,
      now - OPERATORS_WAIT_MS,
    );
    for (const row of rows) {
      const command = toCommand(row);
      const error = await verdict(sql, command);
      if (error !== undefined) await end(sql, command.id, error);
    }
  };
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
          await settle(inner, partition);
          const now = clock.now();
          const lost = now - RETAKEN_AFTER_MS;
          const row = await inner.get(
            `SELECT * FROM bmc_command WHERE partition = ? AND done_at IS NULL
             AND (delivered_at IS NULL OR delivered_at <= ?) AND (run_at IS NULL OR run_at <= ?)
             AND NOT EXISTS (SELECT 1 FROM bmc_command other WHERE other.machine = bmc_command.machine
               AND other.done_at IS NULL AND other.delivered_at > ?)
             ORDER BY created_at, id LIMIT 1`,
            partition,
            lost,
            now,
            lost,
          );
          if (row === undefined) return undefined;
          const command = toCommand(row);
          const retried = command.retried + (command.deliveredAt === undefined ? 0 : 1);
          await inner.run(
            'UPDATE bmc_command SET delivered_at = ?, run_at = NULL, retried = ? WHERE id = ?',
            now,
            retried,
            command.id,
          );
          return { ...command, retried, deliveredAt: now, nextTryAt: undefined };
        },
        { serialise: `bmc:${partition}` },
      ),
    done: (id, error, again = true) =>
      session.transaction(async (inner) => {
        const row = await inner.get('SELECT * FROM bmc_command WHERE id = ?', id);
        if (row === undefined) return false;
        const command = toCommand(row);
        // Who was thought killed was only cut off, and knows.
        const isLate = command.doneAt !== undefined && command.error?.startsWith(UNKNOWN) === true;
        if (command.doneAt !== undefined && !isLate) return false;
        const now = clock.now();
        const nextAt = now + pauseAfter(command.retried);
        if (error !== undefined && again && !isLate && OWN.has(command.command) && nextAt < deadlineOf(command))
          await inner.run(
            'UPDATE bmc_command SET delivered_at = NULL, run_at = ?, retried = retried + 1, error = ?, failed_at = ? WHERE id = ?',
            nextAt,
            error,
            now,
            id,
          );
        else await end(inner, id, error);
        // The next one of this machine has waited for it.
        await inner.notify('bmc_command', command.partition);
        return true;
      }),
    settle: () => session.transaction((inner) => settle(inner, undefined)),
    async list(count, offset) {
      const rows = await session.all(
        'SELECT * FROM bmc_command ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?',
        count,
        offset,
      );
      return rows.map(toCommand);
    },
    async count() {
      const row = await session.get('SELECT count(*) AS found FROM bmc_command');
      return row === undefined ? 0 : number(row, 'found');
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
    retried: number(row, 'retried'),
    nextTryAt: optionalNumber(row, 'run_at'),
    failedAt: optionalNumber(row, 'failed_at'),
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
