import { apiV2, timestampMs } from '@ingot/api';
import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { SILENCE_MS } from '../events/fsm.ts';
import type { PeriodicJob } from '../jobs/periodic-jobs.ts';
import { IPAM } from '../network/kinds.ts';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';
import { SWITCHES_AT_ONCE } from '../views/switch-view.ts';
import { orderBmcCommand } from './bmc-commands.ts';
import { NO_REBOOT_LABEL } from './labels.ts';

const { MachineState, MachineBMCCommand: Command, MachineProvisioningEventType: Event } = apiV2;

export interface ResurrectionOptions {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
}

/** How long a machine may say nothing, or what it should not, before it is started anew; and until the next try. */
const PATIENCE_MS = 60 * 60 * 1000;
const LOOK_EVERY_MS = 10 * 60 * 1000;
/** Machines at once: a hall does not start as one. */
const MAX_AT_ONCE = 20;

/**
 * Starts machines anew that nobody has and that are lost: silent for an hour, or still running the system of whoever gave
 * them back. They boot from the network, and nothing on them is touched. Left alone are machines that never registered,
 * that are locked, tainted or labelled `ingot.dev/no-reboot`, that are off, and all of a partition of which nothing was
 * heard at two looks in a row: there it is the network, or this server was away, and not the machine.
 */
export function resurrection({ stores, clock, log, newId }: ResurrectionOptions): PeriodicJob {
  let heardBefore: ReadonlySet<string> = new Set();
  return {
    name: 'resurrect',
    everyMs: LOOK_EVERY_MS,
    async run(signal) {
      const before = heardBefore;
      // Should this look fail, the next one is the first again.
      heardBefore = new Set();
      const heard = await heardPartitions(stores, clock.now());
      const trusted = new Set([...heard].filter((partition) => before.has(partition)));
      const started: string[] = [];
      for (const { id, partition } of await lostMachines(stores, clock.now() - PATIENCE_MS)) {
        signal.throwIfAborted();
        if (started.length === MAX_AT_ONCE) break;
        if (!trusted.has(partition)) continue;
        const why = await stores.transaction((inner) => startAnew(inner, id, clock.now(), newId), IPAM);
        if (why === undefined) continue;
        started.push(id);
        log.info(
          { event: 'machine.resurrected', machine: id, partition, why },
          `machine ${id} is started anew: ${why}`,
        );
      }
      heardBefore = heard;
      return started.length === 0 ? undefined : { started };
    },
  };
}

/** Partitions of which a machine or a switch has spoken lately. */
async function heardPartitions({ session, switches, switchStatus }: Stores, now: number): Promise<Set<string>> {
  const since = now - SILENCE_MS;
  const rows = await session.all(
    `SELECT DISTINCT machine.partition FROM machine JOIN event_container ON event_container.machine = machine.id
     WHERE event_container.last_event_at > ?`,
    since,
  );
  const heard = new Set(rows.map((row) => text(row, 'partition')));
  for await (const some of switches.some(await switches.ids(), SWITCHES_AT_ONCE)) {
    const statuses = await switchStatus.ofMany(some.map(({ id }) => id));
    for (const { id, value } of some) {
      const at = statuses.get(id)?.lastSync?.time;
      if (at !== undefined && timestampMs(at) > since) heard.add(value.partition);
    }
  }
  return heard;
}

async function lostMachines(
  { session }: Stores,
  silentSince: number,
): Promise<{ readonly id: string; readonly partition: string }[]> {
  const rows = await session.all(
    `SELECT machine.id, machine.partition FROM machine JOIN event_container ON event_container.machine = machine.id
     WHERE machine.project = '' AND machine.state = ? AND (event_container.last_event_at <= ? OR event_container.failed_reclaim = 1)
     ORDER BY event_container.last_event_at`,
    MachineState.AVAILABLE,
    silentSince,
  );
  return rows.map((row) => ({ id: text(row, 'id'), partition: text(row, 'partition') }));
}

/** Why it was started anew; undefined when it is left alone. Allocations come before or after, not in between. */
async function startAnew(stores: Stores, id: string, now: number, newId: () => string): Promise<string | undefined> {
  const machine = await stores.machines.get(id);
  if (machine === undefined || machine.value.allocation !== undefined || machine.value.hardware === undefined)
    return undefined;
  if (machine.value.status?.condition?.state !== MachineState.AVAILABLE) return undefined;
  if (machine.value.meta?.labels?.labels[NO_REBOOT_LABEL] !== undefined) return undefined;
  const bmc = (await stores.bmcs.get(id))?.bmc;
  if (bmc === undefined || bmc.powerState.toLowerCase().includes('off')) return undefined;
  const { newest, lastEventAt, failedReclaim } = await stores.events.container(id);
  if (newest?.type === Event.PLANNED_REBOOT && newest.message.startsWith('power off ')) return undefined;
  if (lastEventAt === undefined || newest === undefined || now - newest.at < PATIENCE_MS) return undefined;
  const isSilent = now - lastEventAt >= PATIENCE_MS;
  if (!isSilent && !failedReclaim) return undefined;
  const why = isSilent
    ? `nobody has it, and it was silent for ${Math.floor((now - lastEventAt) / 60_000)} minutes`
    : 'nobody has it, and its old system still runs';
  await stores.events.add(id, Event.MACHINE_RECLAIM, `started anew: ${why}`);
  await orderBmcCommand(stores, machine, Command.MACHINE_BMC_COMMAND_MACHINE_DELETED, newId);
  return why;
}
