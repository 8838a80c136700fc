import { apiV2, create, timestampFromMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Database, Row } from '../store/database.ts';
import { number, optionalNumber, optionalText, text } from '../store/row.ts';
import { applyEvent, emptyContainer, type EventContainer, type MachineEvent } from './fsm.ts';

/** Events of machines: newest 100 of each, and what follows from them. */
export interface EventStore {
  /** Takes an event at the server's own time. */
  add(machine: string, type: apiV2.MachineProvisioningEventType, message: string): void;
  container(machine: string): EventContainer;
  /** Newest first. */
  recent(machine: string): apiV2.MachineRecentProvisioningEvents;
  delete(machine: string): void;
}

const KEPT = 100;

export function createEventStore(database: Database, clock: Clock): EventStore {
  const container = (machine: string): EventContainer => {
    const row = database.get('SELECT * FROM event_container WHERE machine = ?', machine);
    if (row === undefined) return emptyContainer;
    const newest = database.get('SELECT * FROM event WHERE machine = ? ORDER BY sequence DESC LIMIT 1', machine);
    const lastError = optionalText(row, 'last_error');
    return {
      newest: newest === undefined ? undefined : readEvent(newest),
      lastEventAt: optionalNumber(row, 'last_event_at'),
      lastError: lastError === undefined ? undefined : parseEvent(lastError),
      crashLoop: number(row, 'crash_loop') === 1,
      failedReclaim: number(row, 'failed_reclaim') === 1,
    };
  };
  return {
    container,
    add(machine, type, message) {
      database.transaction(() => {
        const { container: after, append } = applyEvent(container(machine), type, message, clock.now());
        database.run(
          `INSERT INTO event_container (machine, last_event_at, last_error, crash_loop, failed_reclaim)
           VALUES (?, ?, ?, ?, ?) ON CONFLICT (machine) DO UPDATE SET last_event_at = excluded.last_event_at,
           last_error = excluded.last_error, crash_loop = excluded.crash_loop, failed_reclaim = excluded.failed_reclaim`,
          machine,
          after.lastEventAt ?? null,
          after.lastError === undefined ? null : JSON.stringify(after.lastError),
          after.crashLoop ? 1 : 0,
          after.failedReclaim ? 1 : 0,
        );
        if (append === undefined) return;
        database.run(
          'INSERT INTO event (machine, at, type, message) VALUES (?, ?, ?, ?)',
          machine,
          append.at,
          append.type,
          append.message,
        );
        database.run(
          `DELETE FROM event WHERE machine = ?1 AND sequence <=
           (SELECT sequence FROM event WHERE machine = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ${KEPT})`,
          machine,
        );
      });
    },
    recent(machine) {
      const { lastEventAt, lastError, crashLoop, failedReclaim } = container(machine);
      const rows = database.all('SELECT * FROM event WHERE machine = ? ORDER BY sequence DESC', machine);
      const State = apiV2.MachineProvisioningEventState;
      return create(apiV2.MachineRecentProvisioningEventsSchema, {
        events: rows.map((row) => toMessage(readEvent(row))),
        ...(lastEventAt === undefined ? {} : { lastEventTime: timestampFromMs(lastEventAt) }),
        ...(lastError === undefined ? {} : { lastErrorEvent: toMessage(lastError) }),
        state: failedReclaim ? State.FAILED_RECLAIM : crashLoop ? State.CRASHLOOP : State.UNSPECIFIED,
      });
    },
    delete(machine) {
      database.transaction(() => {
        database.run('DELETE FROM event WHERE machine = ?', machine);
        database.run('DELETE FROM event_container WHERE machine = ?', machine);
      });
    },
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
