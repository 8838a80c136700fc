import { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { SILENCE_MS } from '../events/fsm.ts';
import type { SqlValue } from '../store/database.ts';
import { number, text } from '../store/row.ts';
import { inParts, sqlList } from '../store/sql-list.ts';
import type { Stores } from '../store/stores.ts';
import type { Neighbour, Standing } from './spread.ts';

const { MachineAllocationType, MachineState } = apiV2;

/**
 * A machine that can be given away now: nobody has it, it waits, lives, is available, has nothing to erase, and both of its
 * switches know its ports: one that was taken out of the records would leave it without the network of its project.
 */
export interface Candidate extends Standing {
  readonly id: string;
}

/** The machines of one partition and size. */
export interface Inventory {
  readonly available: readonly Candidate[];
  /** How many each project has. */
  readonly allocated: ReadonlyMap<string, number>;
}

/** What stands against giving a machine away that nobody has, the first of it; empty for nothing. Two values: `timesOf`. */
const REASON = `CASE WHEN m.state = ${MachineState.LOCKED} THEN 'locked'
  WHEN m.state = ${MachineState.TAINTED} THEN 'tainted'
  WHEN m.wipe = 1 THEN 'still to be wiped'
  WHEN w.until IS NULL OR w.until <= ? THEN 'not waiting'
  WHEN e.last_event_at IS NULL OR e.last_event_at < ? THEN 'silent'
  WHEN (SELECT count(DISTINCT c.switch) FROM switch_connection c WHERE c.machine = m.id) < 2
    THEN 'not connected to two switches'
  ELSE '' END`;
const MACHINES = `machine m LEFT JOIN waiting w ON w.machine = m.id LEFT JOIN event_container e ON e.machine = m.id`;
const FREE = "m.partition = ? AND m.size = ? AND m.project = ''";

function timesOf(clock: Clock): SqlValue[] {
  const now = clock.now();
  return [now, now - SILENCE_MS];
}

/** Reads no bodies. */
export async function inventoryOf(stores: Stores, clock: Clock, partition: string, size: string): Promise<Inventory> {
  const available = await stores.session.all(
    // From those that wait, in this order: CROSS JOIN tells SQLite.
    `SELECT m.id, m.rack FROM waiting w CROSS JOIN machine m LEFT JOIN event_container e ON e.machine = m.id
     WHERE m.id = w.machine AND ${FREE} AND ${REASON} = '' ORDER BY m.id`,
    partition,
    size,
    ...timesOf(clock),
  );
  const counts = await stores.session.all(
    "SELECT project, count(*) AS found FROM machine WHERE partition = ? AND size = ? AND project > '' GROUP BY project",
    partition,
    size,
  );
  return {
    available: available.map((row) => ({ id: text(row, 'id'), rack: text(row, 'rack') })),
    allocated: new Map(counts.map((row) => [text(row, 'project'), number(row, 'found')])),
  };
}

/** Why the others that nobody has cannot be given away: how many, by reason. For the words of a refusal. */
export async function unavailableOf(
  stores: Stores,
  clock: Clock,
  partition: string,
  size: string,
): Promise<Map<string, number>> {
  const counts = await stores.session.all(
    `SELECT reason, count(*) AS found FROM (SELECT ${REASON} AS reason FROM ${MACHINES} WHERE ${FREE}) free
     WHERE reason <> '' GROUP BY reason ORDER BY reason`,
    ...timesOf(clock),
    partition,
    size,
  );
  return new Map(counts.map((row) => [text(row, 'reason'), number(row, 'found')]));
}

/** What stands against giving away each of these machines, which nobody has; nothing for one that can be given away. */
export async function reasonsAgainst(
  stores: Stores,
  clock: Clock,
  machines: readonly string[],
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  for (const part of inParts(machines)) {
    const { marks, values } = sqlList(part);
    const rows = await stores.session.all(
      `SELECT id, reason FROM (SELECT m.id, ${REASON} AS reason FROM ${MACHINES} WHERE m.id IN (${marks})) these
       WHERE reason <> ''`,
      ...timesOf(clock),
      ...values,
    );
    for (const row of rows) reasons.set(text(row, 'id'), text(row, 'reason'));
  }
  return reasons;
}

/** The machines that a project has already, of one partition, size and role. */
export async function neighboursOf(
  stores: Stores,
  project: string,
  role: apiV2.MachineAllocationType,
  partition: string,
  size: string,
): Promise<Neighbour[]> {
  const rows = await stores.session.all(
    'SELECT rack, placement FROM machine WHERE project = ? AND role = ? AND partition = ? AND size = ?',
    project,
    role,
    partition,
    size,
  );
  return rows.map((row) => ({ rack: text(row, 'rack'), placementLabels: labelsOf(text(row, 'placement')) }));
}

/** The firewalls of a project. */
export async function firewallsOf(stores: Stores, project: string): Promise<apiV2.MachineAllocation[]> {
  const firewalls = await stores.machines.list({ project, role: MachineAllocationType.FIREWALL });
  return firewalls.flatMap(({ value }) => value.allocation ?? []);
}

const NO_LABELS: ReadonlyMap<string, string> = new Map();

function labelsOf(json: string): ReadonlyMap<string, string> {
  if (json === '') return NO_LABELS;
  const labels: Record<string, string> = JSON.parse(json);
  return new Map(Object.entries(labels));
}
