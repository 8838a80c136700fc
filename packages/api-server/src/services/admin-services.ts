import { adminV2, ApiError, apiV2, bindService, clone, Code, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { machineMatches } from '../views/machine-query.ts';
import { machineView, machineViews } from '../views/machine-view.ts';
import { switchMatches } from '../views/switch-query.ts';
import { switchView, switchViews } from '../views/switch-view.ts';
import type { ServiceDependencies } from './context.ts';
import { switchOf } from './switch-service.ts';

/** `metalstack.admin.v2.MachineService`: what an operator sees of machines. */
export function adminMachineService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores, clock } = dependencies;
  return bindService<typeof adminV2.MachineService, Caller>(adminV2.MachineService, {
    async get({ uuid }) {
      const stored = await stores.machines.need(machineIdOf(uuid));
      return { machine: await machineView(stores, clock, stored) };
    },
    async list({ query, partition }) {
      const views = await machineViews(stores, clock, await stores.machines.list());
      const waiting = await stores.waiting.all();
      const machines = views
        .filter((machine) => partition === undefined || machine.partition?.id === partition)
        .filter((machine) => machineMatches(machine, query, waiting.has(machine.uuid)));
      return { machines };
    },
    async getBMC({ uuid }, { caller }) {
      const stored = await stores.machines.need(machineIdOf(uuid));
      const report = await stores.bmcs.get(machineIdOf(uuid));
      if (report === undefined)
        throw new ApiError(Code.NotFound, `machine ${uuid} has not registered yet, so nothing is known of a BMC`);
      const { partition, rack, room, size } = await machineView(stores, clock, stored);
      return {
        bmcDetails: {
          uuid: stored.value.uuid,
          partition: partition?.id ?? '',
          rack,
          room,
          size: size?.id ?? '',
          bmcReport: mayActOnBmcs(caller) ? report : withoutPassword(report),
        },
      };
    },
  });
}

/** Who may switch machines off needs their passwords; who only looks does not. */
function mayActOnBmcs(caller: Caller): boolean {
  return caller.kind === 'token' && caller.token.adminRole === apiV2.AdminRole.EDITOR;
}

function withoutPassword(report: apiV2.MachineBMCReport): apiV2.MachineBMCReport {
  const redacted = clone(apiV2.MachineBMCReportSchema, report);
  if (redacted.bmc !== undefined) redacted.bmc.password = '';
  return redacted;
}

/** `metalstack.admin.v2.SwitchService`: what an operator sees of switches. */
export function adminSwitchService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.SwitchService, Caller>(adminV2.SwitchService, {
    get: async ({ id }) => ({ switch: await switchView(stores, await switchOf(stores, id)) }),
    async list({ query }) {
      const views = await switchViews(stores, await stores.switches.list());
      return { switches: views.filter((one) => switchMatches(one, query)) };
    },
  });
}

/** `metalstack.admin.v2.ComponentService`: agents that have pinged within the last day. */
export function adminComponentService({ stores }: ServiceDependencies): BoundService<Caller> {
  const byUuid = async (uuid: string): Promise<apiV2.Component> => {
    const component = (await stores.components.list()).find((one) => one.uuid === uuid);
    if (component === undefined) throw new ApiError(Code.NotFound, `there is no component ${uuid}`);
    return component;
  };
  return bindService<typeof adminV2.ComponentService, Caller>(adminV2.ComponentService, {
    get: async ({ uuid }) => ({ component: await byUuid(uuid) }),
    list: async ({ query }) => ({
      components: (await stores.components.list()).filter(
        (component) =>
          (query?.uuid === undefined || component.uuid === query.uuid) &&
          (query?.type === undefined || component.type === query.type) &&
          (query?.identifier === undefined || component.identifier === query.identifier),
      ),
    }),
  });
}
