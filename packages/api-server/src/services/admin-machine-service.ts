import { adminV2, ApiError, apiV2, bindService, Code, durationMs, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { orderBmcCommand } from '../machine/bmc-commands.ts';
import { examine } from '../machine/examine.ts';
import { findIssues, LAST_ERROR_MS } from '../machine/issues.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { WIPE_LABEL } from '../machine/wipe-label.ts';
import { IPAM } from '../network/kinds.ts';
import type { Stores } from '../store/stores.ts';
import { bmcDetails, bmcDetailsOf } from '../views/bmc-view.ts';
import { machineIdsOf, machinesOf } from '../views/machine-query.ts';
import { machineView } from '../views/machine-view.ts';
import type { ServiceDependencies } from './context.ts';
import { userOf } from './user-of.ts';

const { MachineLiveliness, MachineState } = apiV2;

/** `metalstack.admin.v2.MachineService`: all machines, whoever has them. */
export function adminMachineService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores, clock, entropy, longReads } = dependencies;
  return bindService<typeof adminV2.MachineService, Caller>(adminV2.MachineService, {
    async get({ uuid }) {
      const stored = await stores.machines.need(machineIdOf(uuid));
      return { machine: await machineView(stores, clock, stored) };
    },
    async list({ query, partition }, { signal }) {
      const found = await Array.fromAsync(machinesOf(stores, clock, query, { partition, signal, longReads }));
      return { machines: found.flat() };
    },
    async getBMC({ uuid }, { caller }) {
      const stored = await stores.machines.need(machineIdOf(uuid));
      const found = await bmcDetails(stores, await machineView(stores, clock, stored), mayActOnBmcs(caller));
      if (found === undefined)
        throw new ApiError(Code.NotFound, `machine ${uuid} has not registered yet, so nothing is known of a BMC`);
      return { bmcDetails: found };
    },
    async listBMC({ query }, { caller, signal }) {
      const listed: apiV2.MachineBMCDetails[] = [];
      for await (const machines of machinesOf(stores, clock, query, { signal, longReads })) {
        const reports = await stores.bmcs.getMany(machines.map(({ uuid }) => uuid));
        for (const machine of machines) {
          const report = reports.get(machine.uuid);
          if (report !== undefined) listed.push(bmcDetailsOf(machine, report, mayActOnBmcs(caller)));
        }
      }
      return { bmcDetails: listed };
    },
    bMCCommand: ({ uuid, command }) =>
      stores.transaction(async (inner) => {
        const machine = await inner.machines.need(machineIdOf(uuid));
        await orderBmcCommand(inner, machine, command, () => uuidV7(clock.now(), entropy));
        return {};
      }),
    async consolePassword({ uuid }) {
      const machine = await stores.machines.need(machineIdOf(uuid));
      const password = await stores.consolePasswords.get(machine.id);
      if (password === undefined)
        throw new ApiError(Code.NotFound, `machine ${machine.id} has no console password: nothing is installed on it`);
      return { uuid: machine.id, password };
    },
    async setState({ uuid, state, description }, { caller }) {
      if (state === MachineState.UNSPECIFIED) throw new ApiError(Code.InvalidArgument, 'state is missing');
      if (state !== MachineState.AVAILABLE && description === '')
        throw new ApiError(Code.InvalidArgument, 'say in description why, for whoever finds the machine so');
      const stored = await stores.machines.edit(machineIdOf(uuid), (machine) => {
        machine.status ??= { $typeName: 'metalstack.api.v2.MachineStatus', liveliness: 0, metalHammerVersion: '' };
        machine.status.condition = {
          $typeName: 'metalstack.api.v2.MachineCondition',
          state,
          description,
          issuer: state === MachineState.AVAILABLE ? '' : userOf(caller),
        };
      });
      return { machine: await machineView(stores, clock, stored) };
    },
    delete: ({ uuid }) =>
      stores.transaction(
        async (inner) => ({ machine: await deleteMachine(dependencies, inner, machineIdOf(uuid)) }),
        IPAM,
      ),
    async issues({ query }, { signal }) {
      const machineQuery = query?.machineQuery;
      const asked =
        machineQuery === undefined ? undefined : await machineIdsOf(stores, machineQuery, { signal, longReads });
      using reading = new DisposableStack();
      reading.use(await longReads.enter(signal));
      const examined = await examine(stores, clock);
      const threshold = query?.lastErrorThreshold;
      const found = findIssues(examined, {
        now: clock.now(),
        lastErrorWithinMs: threshold === undefined ? LAST_ERROR_MS : durationMs(threshold),
      });
      const isAsked = ({ type, severity }: apiV2.MachineIssue): boolean =>
        (query === undefined || query.only.length === 0 || query.only.includes(type)) &&
        query?.omit.includes(type) !== true &&
        severity >= (query?.severity ?? 0);
      return {
        issues: [...found]
          .filter(([id]) => asked?.has(id) !== false)
          .map(([id, issues]) => ({ uuid: id, issues: issues.filter(isAsked) }))
          .filter(({ issues }) => issues.length > 0),
      };
    },
  });
}

/**
 * Takes a machine out of the records, for one that has left the rack: its ports are free for another. Refused while
 * somebody has it, and while it speaks: it would only come back. Should it, its disks are to be erased as before.
 */
async function deleteMachine({ clock }: ServiceDependencies, stores: Stores, id: string): Promise<apiV2.Machine> {
  const stored = await stores.machines.need(id);
  const view = await machineView(stores, clock, stored);
  if (view.allocation !== undefined)
    throw new ApiError(
      Code.FailedPrecondition,
      `machine ${id} is allocated as "${view.allocation.name}" by project ${view.allocation.project}: free it first`,
    );
  const hasEvents = (await stores.events.of(id)).lastEventAt !== undefined;
  if (hasEvents && view.status?.liveliness !== MachineLiveliness.DEAD)
    throw new ApiError(
      Code.FailedPrecondition,
      `machine ${id} still speaks: power it off, and wait until it has been silent for five minutes`,
    );
  for (const connection of await stores.ports.ofMachine(id)) await stores.ports.release(connection);
  await stores.events.delete(id);
  await stores.bmcCommands.deleteOf(id);
  await stores.consolePasswords.delete(id);
  const order = stored.value.meta?.labels?.labels[WIPE_LABEL];
  if (order !== undefined) await stores.owedWipes.put(id, order);
  await stores.bmcs.delete(id);
  await stores.machines.delete(id);
  return view;
}

/** Who may switch machines off needs their passwords; who only looks does not. */
function mayActOnBmcs(caller: Caller): boolean {
  return caller.kind === 'token' && caller.token.adminRole === apiV2.AdminRole.EDITOR;
}
