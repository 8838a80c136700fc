import { apiV2, create, timestampFromMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Row, Session, Sql } from '../store/database.ts';
import { number, optionalNumber, optionalText, text } from '../store/row.ts';
import { Overtaken } from '../store/overtaken.ts';
import { inParts, sqlList } from '../store/sql-list.ts';
import { turns } from '../store/turns.ts';
import { applyEvent, emptyContainer, type EventContainer, type MachineEvent } from './fsm.ts';

/** Events of machines: newest 100 of each, and what follows from them. */
export interface EventStore {
  /**
   * Takes an event at the server's own time. `before` is the container, where it was read before the transaction: on
   * PostgreSQL this then comes into conflict with those only who write the same one. Throws `Overtaken` when it has changed.
   */
  add(
    machine: string,
    type: apiV2.MachineProvisioningEventType,
    message: string,
    before?: StoredContainer,
  ): Promise<StoredContainer>;
  container(machine: string): Promise<StoredContainer>;
  /** Those of many machines, by machine; nothing for a machine without events. */
  containers(machines: readonly string[]): Promise<Map<string, StoredContainer>>;
  of(machine: string): Promise<MachineEvents>;
  /** Those of many machines, by machine; nothing for a machine without events. */
  ofMany(machines: readonly string[]): Promise<Map<string, MachineEvents>>;
  delete(machine: string): Promise<void>;
}

export interface StoredContainer extends EventContainer {
  /** Counts changes; 0 for one that is not stored. */
  readonly revision: number;
  /** So many events are stored. */
  readonly kept: number;
}

/** What clients see of a machine's events. */
export interface MachineEvents {
  /** Newest first. */
  readonly recent: apiV2.MachineRecentProvisioningEvents;
  /** Milliseconds since the epoch. */
  readonly lastEventAt: number | undefined;
}

const KEPT = 100;

export const noContainer: StoredContainer = { ...emptyContainer, revision: 0, kept: 0 };

export function createEventStore(session: Session, clock: Clock): EventStore {
  const ofSome = async (machines: readonly string[]): Promise<[string, MachineEvents][]> => {
    const { marks, values } = sqlList(machines);
    const containers = await session.all(`SELECT * FROM event_container WHERE machine IN (${marks})`, ...values);
    const events = await session.all(
      `SELECT * FROM event WHERE machine IN (${marks}) ORDER BY machine, sequence DESC`,
      ...values,
    );
    const byMachine = Map.groupBy(events, (row) => text(row, 'machine'));
    return containers.map((row) => {
      const machine = text(row, 'machine');
      return [machine, toMachineEvents(row, byMachine.get(machine) ?? [])];
    });
  };
  return {
    container: (machine) => containerOf(session, machine),
    async containers(machines) {
      const found = new Map<string, StoredContainer>();
      for await (const part of turns(machines)) {
        const { marks, values } = sqlList(part);
        const rows = await session.all(`SELECT * FROM event_container WHERE machine IN (${marks})`, ...values);
        for (const row of rows) found.set(text(row, 'machine'), readContainer(row));
      }
      return found;
    },
    async of(machine) {
      const [found] = await ofSome([machine]);
      return found?.[1] ?? { recent: create(apiV2.MachineRecentProvisioningEventsSchema), lastEventAt: undefined };
    },
    async ofMany(machines) {
      const found = new Map<string, MachineEvents>();
      for (const part of inParts(machines)) {
        for (const [machine, events] of await ofSome(part)) found.set(machine, events);
      }
      return found;
    },
    add: (machine, type, message, before) =>
      session.transaction(async (inner) => {
        const old = before ?? (await containerOf(inner, machine));
        const { container, append } = applyEvent(old, type, message, clock.now());
        const isFull = append !== undefined && old.kept >= KEPT;
        const next: StoredContainer = {
          ...container,
          revision: old.revision + 1,
          kept: append === undefined || isFull ? old.kept : old.kept + 1,
        };
        await Promise.all([
          putContainer(inner, machine, next),
          append === undefined ? undefined : putEvent(inner, machine, append),
        ]);
        if (isFull) await forgetOldest(inner, machine);
        return next;
      }),
    async delete(machine) {
      await session.transaction(async (inner) => {
        await inner.run('DELETE FROM event WHERE machine = ?', machine);
        await inner.run('DELETE FROM event_container WHERE machine = ?', machine);
      });
    },
  };
}

async function containerOf(session: Sql, machine: string): Promise<StoredContainer> {
  const row = await session.get('SELECT * FROM event_container WHERE machine = ?', machine);
  return row === undefined ? noContainer : readContainer(row);
}

async function putContainer(session: Sql, machine: string, container: StoredContainer): Promise<void> {
  const { lastEventAt, lastError, crashLoop, failedReclaim, newest, revision, kept } = container;
  const written = await session.get(
    `INSERT INTO event_container (machine, last_event_at, last_error, crash_loop, failed_reclaim, newest_at, newest_type,
     newest_message, kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (machine) DO UPDATE SET
     last_event_at = excluded.last_event_at, last_error = excluded.last_error, crash_loop = excluded.crash_loop,
     failed_reclaim = excluded.failed_reclaim, newest_at = excluded.newest_at, newest_type = excluded.newest_type,
     newest_message = excluded.newest_message, kept = excluded.kept, revision = event_container.revision + 1
     WHERE event_container.revision = ? RETURNING revision`,
    machine,
    lastEventAt ?? null,
    lastError === undefined ? null : JSON.stringify(lastError),
    crashLoop ? 1 : 0,
    failedReclaim ? 1 : 0,
    newest?.at ?? null,
    newest?.type ?? null,
    newest?.message ?? null,
    kept,
    revision - 1,
  );
  // Another number than this: the machine's events were deleted, and this one would be the first.
  if (written === undefined || number(written, 'revision') !== revision)
    throw new Overtaken(`something else has happened to machine ${machine}`);
}

async function putEvent(session: Sql, machine: string, { at, type, message }: MachineEvent): Promise<void> {
  await session.run('INSERT INTO event (machine, at, type, message) VALUES (?, ?, ?, ?)', machine, at, type, message);
}

async function forgetOldest(session: Sql, machine: string): Promise<void> {
  await session.run(
    `DELETE FROM event WHERE machine = ? AND sequence <=
     (SELECT sequence FROM event WHERE machine = ? ORDER BY sequence DESC LIMIT 1 OFFSET ${KEPT})`,
    machine,
    machine,
  );
}

function toMachineEvents(containerRow: Row, rows: readonly Row[]): MachineEvents {
  const { lastEventAt, lastError, crashLoop, failedReclaim } = readContainer(containerRow);
  const State = apiV2.MachineProvisioningEventState;
  return {
    lastEventAt,
    recent: create(apiV2.MachineRecentProvisioningEventsSchema, {
      events: rows.map((row) => toMessage(readEvent(row))),
      ...(lastEventAt === undefined ? {} : { lastEventTime: timestampFromMs(lastEventAt) }),
      ...(lastError === undefined ? {} : { lastErrorEvent: toMessage(lastError) }),
      state: failedReclaim ? State.FAILED_RECLAIM : crashLoop ? State.CRASHLOOP : State.UNSPECIFIED,
    }),
  };
}

function readContainer(row: Row): StoredContainer {
  const lastError = optionalText(row, 'last_error');
  const newestAt = optionalNumber(row, 'newest_at');
  return {
    revision: number(row, 'revision'),
    kept: number(row, 'kept'),
    newest:
      newestAt === undefined
        ? undefined
        : { at: newestAt, type: typeOf(number(row, 'newest_type')), message: text(row, 'newest_message') },
    lastEventAt: optionalNumber(row, 'last_event_at'),
    lastError: lastError === undefined ? undefined : parseEvent(lastError),
    crashLoop: number(row, 'crash_loop') === 1,
    failedReclaim: number(row, 'failed_reclaim') === 1,
  };
}

function readEvent(row: Row): MachineEvent {
  return { at: number(row, 'at'), type: typeOf(number(row, 'type')), message: text(row, 'message') };
}

function parseEvent(json: string): MachineEvent {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('last_error holds no event');
  return readEvent({ ...parsed });
}

const types = new Map<number, apiV2.MachineProvisioningEventType>(
  Object.values(apiV2.MachineProvisioningEventType).map((type) => [type, type]),
);

function typeOf(stored: number): apiV2.MachineProvisioningEventType {
  const type = types.get(stored);
  if (type === undefined) throw new TypeError(`event type ${stored} is not known`);
  return type;
}

function toMessage(event: MachineEvent): apiV2.MachineProvisioningEvent {
  return create(apiV2.MachineProvisioningEventSchema, {
    time: timestampFromMs(event.at),
    event: event.type,
    message: event.message,
  });
}
