import { ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import { allocateMachine } from '../allocation/allocate-machine.ts';
import { freeMachine } from '../allocation/free-machine.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import type { Caller } from '../auth/caller.ts';
import { updateTenantLabels } from '../machine/labels.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { IPAM } from '../network/kinds.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { machinesOf } from '../views/machine-query.ts';
import { machineView } from '../views/machine-view.ts';
import { bmcDetails } from '../views/bmc-view.ts';
import { orderBmcCommand } from '../machine/bmc-commands.ts';
import type { ServiceDependencies } from './context.ts';
import { once } from './once.ts';
import { updateEntity } from './update-entity.ts';
import { userOf } from './user-of.ts';

const { AdminRole, MachineBMCCommand: Command } = apiV2;

/** `metalstack.api.v2.MachineService`: machines that a project has. Somebody else's machine looks like none. */
export function projectMachineService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores, clock, entropy, longReads } = dependencies;
  const newId = (): string => uuidV7(clock.now(), entropy);
  const own = async (inner: Stores, uuid: string, project: string): Promise<Stored<apiV2.Machine>> => {
    const found = await inner.machines.get(machineIdOf(uuid));
    if (found?.value.allocation?.project !== project)
      throw new ApiError(Code.NotFound, `project ${project} has no machine ${uuid}`);
    return found;
  };
  return bindService<typeof apiV2.MachineService, Caller>(apiV2.MachineService, {
    get: async ({ uuid, project }) => ({
      machine: await machineView(stores, clock, await own(stores, uuid, project)),
    }),
    create: (request, context) => {
      const { caller } = context;
      if (request.uuid !== undefined && !isAdmin(caller))
        throw new ApiError(
          Code.PermissionDenied,
          'only an administrator chooses the machine: leave uuid out, and give partition and size',
        );
      return once(stores, {
        method: apiV2.MachineService.method.create,
        request,
        context,
        ...IPAM,
        make: async (inner) => {
          const machine = await allocateMachine(inner, request, { clock, entropy, user: userOf(caller) });
          const id = `${machine.id}/${machine.value.allocation?.uuid ?? ''}`;
          return { id, answer: { machine: await machineView(inner, clock, machine) } };
        },
        again: async (inner, id) => {
          const [uuid = '', allocation] = id.split('/');
          const machine = await own(inner, uuid, request.project);
          if (machine.value.allocation?.uuid !== allocation)
            throw new ApiError(Code.NotFound, `machine ${uuid}, which was allocated with this key, was freed since`);
          return { machine: await machineView(inner, clock, machine) };
        },
      });
    },
    async update({ uuid, project, updateMeta, description, labels, sshPublicKeys }) {
      await own(stores, uuid, project);
      const changed = await updateEntity(stores.machines, machineIdOf(uuid), updateMeta, (machine) => {
        if (machine.allocation?.project !== project)
          throw new ApiError(Code.NotFound, `project ${project} has no machine ${uuid}`);
        if (description !== undefined) machine.allocation.description = description;
        if (sshPublicKeys.length > 0) machine.allocation.sshPublicKeys = sshPublicKeys;
        updateTenantLabels(machine, labels);
      });
      return { machine: await machineView(stores, clock, changed) };
    },
    async list({ project, query }, { signal }) {
      const found = await Array.fromAsync(machinesOf(stores, clock, query, { project, signal, longReads }));
      return { machines: found.flat() };
    },
    delete: ({ uuid, project }) =>
      stores.transaction(async (inner) => {
        const freed = await freeMachine(inner, await own(inner, uuid, project), newId);
        const task = await orderBmcCommand(inner, freed, Command.MACHINE_BMC_COMMAND_MACHINE_DELETED, newId);
        const machine = await machineView(inner, clock, freed);
        machine.meta ??= create(apiV2.MetaSchema);
        machine.meta.deletionTaskId = task;
        return { machine };
      }, IPAM),
    async getBMC({ uuid, project }) {
      const { id } = await own(stores, uuid, project);
      const details = await bmcDetails(stores, await machineView(stores, clock, await stores.machines.need(id)), false);
      if (details === undefined) throw new ApiError(Code.NotFound, `nothing is known of a BMC of machine ${uuid}`);
      return { bmcDetails: details };
    },
    bMCCommand: ({ uuid, project, command }) =>
      stores.transaction(async (inner) => {
        await orderBmcCommand(inner, await own(inner, uuid, project), command, newId);
        return {};
      }),
  });
}

function isAdmin(caller: Caller): boolean {
  return caller.kind === 'token' && caller.token.adminRole === AdminRole.EDITOR;
}
