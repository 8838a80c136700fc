import { apiV2, create, timestampFromMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Row, Session, Sql } from '../store/database.ts';
import { number, optionalNumber, optionalText, text } from '../store/row.ts';
import { inParts, sqlList } from '../store/sql-list.ts';
import { turns } from '../store/turns.ts';
import { applyEvent, emptyContainer, type EventContainer, type MachineEvent } from './fsm.ts';

/** Events of machines: newest 100 of each, and what follows from them. */
export interface EventStore {
  /** Takes an event at the server's own time. */
  add(machine: string, type: apiV2.MachineProvisioningEventType, message: string): Promise<void>;
  container(machine: string): Promise<EventContainer>;
  /** Those of many machines, by machine; nothing for a machine without events. */
  containers(machines: readonly string[]): Promise<Map<string, EventContainer>>;
  of(machine: string): Promise<MachineEvents>;
  /** Those of many machines, by machine; nothing for a machine without events. */
  ofMany(machines: readonly string[]): Promise<Map<string, MachineEvents>>;
  /** When each of these machines was heard of last, milliseconds since the epoch; nothing for one that never was. */
  lastAt(machines: readonly string[]): Promise<Map<string, number>>;
  delete(machine: string): Promise<void>;
}

/** What clients see of a machine's events. */
export interface MachineEvents {
  /** Newest first. */
  readonly recent: apiV2.MachineRecentProvisioningEvents;
  /** Milliseconds since the epoch. */
  readonly lastEventAt: number | undefined;
}

const KEPT = 100;

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
      const found = new Map<string, EventContainer>();
      for await (const part of turns(machines)) {
        const { marks, values } = sqlList(part);
        const newest = await session.all(
          `SELECT * FROM event WHERE sequence IN
           (SELECT max(sequence) FROM event WHERE machine IN (${marks}) GROUP BY machine)`,
          ...values,
        );
        const byMachine = new Map(newest.map((row) => [text(row, 'machine'), readEvent(row)]));
        for (const row of await session.all(`SELECT * FROM event_container WHERE machine IN (${marks})`, ...values)) {
          const machine = text(row, 'machine');
          found.set(machine, { ...readContainer(row), newest: byMachine.get(machine) });
        }
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
    async lastAt(machines) {
      const found = new Map<string, number>();
      for (const part of inParts(machines)) {
        const { marks, values } = sqlList(part);
        for (const row of await session.all(
          `SELECT machine, last_event_at FROM event_container WHERE machine IN (${marks})`,
          ...values,
        )) {
          const at = optionalNumber(row, 'last_event_at');
          if (at !== undefined) found.set(text(row, 'machine'), at);
        }
      }
      return found;
    },
    async add(machine, type, message) {
      await session.transaction(async (inner) => {
        const { container, append } = applyEvent(await containerOf(inner, machine), type, message, clock.now());
        await putContainer(inner, machine, container);
        if (append === undefined) return;
        await inner.run(
          'INSERT INTO event (machine, at, type, message) VALUES (?, ?, ?, ?)',
          machine,
          append.at,
          append.type,
          append.message,
        );
        await inner.run(
          `DELETE FROM event WHERE machine = ? AND sequence <=
           (SELECT sequence FROM event WHERE machine = ? ORDER BY sequence DESC LIMIT 1 OFFSET ${KEPT})`,
          machine,
          machine,
        );
      });
    },
    async delete(machine) {
      await session.transaction(async (inner) => {
        await inner.run('DELETE FROM event WHERE machine = ?', machine);
        await inner.run('DELETE FROM event_container WHERE machine = ?', machine);
      });
    },
  };
}

async function containerOf(session: Sql, machine: string): Promise<EventContainer> {
  const row = await session.get('SELECT * FROM event_container WHERE machine = ?', machine);
  if (row === undefined) return emptyContainer;
  const newest = await session.get('SELECT * FROM event WHERE machine = ? ORDER BY sequence DESC LIMIT 1', machine);
  return { ...readContainer(row), newest: newest === undefined ? undefined : readEvent(newest) };
}

async function putContainer(session: Sql, machine: string, container: EventContainer): Promise<void> {
  const { lastEventAt, lastError, crashLoop, failedReclaim } = container;
  await session.run(
    `INSERT INTO event_container (machine, last_event_at, last_error, crash_loop, failed_reclaim)
     VALUES (?, ?, ?, ?, ?) ON CONFLICT (machine) DO UPDATE SET last_event_at = excluded.last_event_at,
     last_error = excluded.last_error, crash_loop = excluded.crash_loop, failed_reclaim = excluded.failed_reclaim`,
    machine,
    lastEventAt ?? null,
    lastError === undefined ? null : JSON.stringify(lastError),
    crashLoop ? 1 : 0,
    failedReclaim ? 1 : 0,
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

function readContainer(row: Row): Omit<EventContainer, 'newest'> {
  const lastError = optionalText(row, 'last_error');
  return {
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
