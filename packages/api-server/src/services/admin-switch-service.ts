import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { Stores } from '../store/stores.ts';
import { moveSwitch } from '../topology/move-switch.ts';
import { setMachines } from '../topology/set-machines.ts';
import { machinesOf } from '../views/machine-query.ts';
import { switchMatches } from '../views/switch-query.ts';
import { switchView, switchViews, withPorts } from '../views/switch-view.ts';
import type { ServiceDependencies } from './context.ts';
import { switchOf } from './switch-service.ts';
import { updateEntity } from './update-entity.ts';

const { SwitchPortStatus, SwitchReplaceMode } = apiV2;
const READ = { mode: 'read' } as const;

/** `metalstack.admin.v2.SwitchService`: what an operator does with switches. */
export function adminSwitchService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores } = dependencies;
  return bindService<typeof adminV2.SwitchService, Caller>(adminV2.SwitchService, {
    get: ({ id }) =>
      stores.transaction(async (inner) => ({ switch: await switchView(inner, await switchOf(inner, id)) }), READ),
    async list({ query }) {
      return { switches: await selectedSwitches(stores, query) };
    },
    async update({ id, updateMeta, nics, os, ...change }) {
      const { description, replaceMode, managementIp, managementUser, consoleCommand } = change;
      if (nics.length > 0 || os !== undefined)
        throw new ApiError(
          Code.InvalidArgument,
          'nics and os are what the switch says of itself when it registers: leave them out; Port wants a port up or down',
        );
      await switchOf(stores, id);
      const stored = await updateEntity(stores.switches, id, updateMeta, (leaf) => {
        if (description !== undefined) leaf.description = description;
        if (replaceMode !== undefined && replaceMode !== SwitchReplaceMode.UNSPECIFIED) leaf.replaceMode = replaceMode;
        if (managementIp !== undefined) leaf.managementIp = managementIp;
        if (managementUser !== undefined) leaf.managementUser = managementUser;
        if (consoleCommand !== undefined) leaf.consoleCommand = consoleCommand;
        // Where there is one it has two letters at least.
        if (managementUser === '') delete leaf.managementUser;
        if (consoleCommand === '') delete leaf.consoleCommand;
      });
      return { switch: await switchView(stores, stored) };
    },
    delete: ({ id, force }) =>
      stores.transaction(async (inner) => {
        const stored = await switchOf(inner, id);
        const view = await switchView(inner, stored);
        const machines = [...new Set(view.machineConnections.map((one) => one.machineId))];
        if (machines.length > 0 && !force)
          throw new ApiError(
            Code.FailedPrecondition,
            `switch ${id} has ${machines.length} machines, as ${machines.slice(0, 3).join(', ')}: move them with ` +
              '"ingot switch migrate", or delete it with force',
          );
        await setMachines(inner, id, []);
        await inner.ports.clearVrfs(id);
        await inner.switchStatus.delete(id);
        await inner.switches.delete(id);
        return { switch: view };
      }),
    migrate: ({ oldSwitch, newSwitch }) =>
      stores.transaction(async (inner) => {
        const [from, to] = [await switchOf(inner, oldSwitch), await switchOf(inner, newSwitch)];
        await moveSwitch(inner, await withPorts(inner, from), await withPorts(inner, to));
        return { switch: await switchView(inner, await switchOf(inner, newSwitch)) };
      }),
    port: ({ id, nicName, status }) =>
      stores.transaction(async (inner) => {
        if (status !== SwitchPortStatus.UP && status !== SwitchPortStatus.DOWN)
          throw new ApiError(Code.InvalidArgument, 'a port can be wanted up or down');
        const { value } = await switchOf(inner, id);
        const names = value.nics.map(({ name }) => name);
        if (!names.includes(nicName))
          throw new ApiError(Code.NotFound, `switch ${id} has no port "${nicName}"; it has ${names.join(', ')}`);
        const stored = await inner.switches.edit(id, (leaf) => {
          for (const nic of leaf.nics)
            if (nic.name === nicName)
              nic.state = create(apiV2.NicStateSchema, {
                desired: status,
                actual: nic.state?.actual ?? SwitchPortStatus.UNKNOWN,
              });
        });
        return { switch: await switchView(inner, stored) };
      }),
    async connectedMachines({ query, machineQuery }, { signal }) {
      const switches = await selectedSwitches(stores, query);
      const machines = await machinesById(dependencies, switches, machineQuery, signal);
      const reports = await stores.bmcs.getMany([...machines.keys()]);
      const switchesWithMachines: apiV2.SwitchWithMachines[] = [];
      for (const leaf of switches) {
        const connections: apiV2.SwitchNicWithMachine[] = [];
        for (const { machineId, nic } of leaf.machineConnections) {
          const machine = machines.get(machineId);
          if (machine === undefined) continue;
          const fru = reports.get(machineId)?.fru;
          const port = leaf.nics.find(({ name }) => name === nic?.name) ?? nic;
          connections.push(
            create(apiV2.SwitchNicWithMachineSchema, {
              machine,
              ...(port === undefined ? {} : { nic: port }),
              ...(fru === undefined ? {} : { fru }),
            }),
          );
        }
        switchesWithMachines.push(
          create(apiV2.SwitchWithMachinesSchema, {
            id: leaf.id,
            partition: leaf.partition,
            rack: leaf.rack ?? '',
            connections,
          }),
        );
      }
      return { switchesWithMachines };
    },
  });
}

/** Those of a query in one state: ports, and the machines on them, may be moving to other switches meanwhile. */
function selectedSwitches(stores: Stores, query: apiV2.SwitchQuery | undefined): Promise<apiV2.Switch[]> {
  return stores.transaction(async (inner) => {
    const machine = query?.connectedMachineId?.toLowerCase();
    const connected = machine === undefined ? undefined : await inner.ports.ofMachine(machine);
    const id = query?.id ?? connected?.map(({ switchId }) => switchId);
    const ids = await inner.switches.ids({ id, partition: query?.partition });
    return (await switchViews(inner, ids)).filter((one) => switchMatches(one, query));
  }, READ);
}

async function machinesById(
  { stores, clock, longReads }: ServiceDependencies,
  switches: readonly apiV2.Switch[],
  query: apiV2.MachineQuery | undefined,
  signal: AbortSignal,
): Promise<Map<string, apiV2.Machine>> {
  const connected = new Set(switches.flatMap((leaf) => leaf.machineConnections.map((one) => one.machineId)));
  const found = new Map<string, apiV2.Machine>();
  for await (const machines of machinesOf(stores, clock, query, { ids: connected, signal, longReads }))
    for (const machine of machines) found.set(machine.uuid, machine);
  return found;
}
