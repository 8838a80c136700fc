import {
  ApiError,
  apiV2,
  bindService,
  clone,
  Code,
  create,
  infraV2,
  type BoundService,
  type ServerContext,
} from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { machineIdOf, findOrCreateMachine } from '../machine/machine-records.ts';
import type { BmcCommand } from '../store/bmc-command-store.ts';
import type { Stores } from '../store/stores.ts';
import type { ServiceDependencies } from './context.ts';

const { MachineBMCCommand: Command } = apiV2;

/** `metalstack.infra.v2.BMCService`: the side of whoever looks after the management controllers of a partition. */
export function bmcService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores } = dependencies;
  return bindService<typeof infraV2.BMCService, Caller>(infraV2.BMCService, {
    updateBMCInfo: ({ partition, bmcReports }) =>
      stores.transaction(async (inner) => {
        await inner.partitions.need(partition);
        const [updatedMachines, createdMachines]: [string[], string[]] = [[], []];
        for (const report of bmcReports) {
          const outcome = await takeReport(inner, partition, report);
          if (outcome === 'updated') updatedMachines.push(machineIdOf(report.uuid));
          if (outcome === 'created') createdMachines.push(machineIdOf(report.uuid));
        }
        return { updatedMachines, createdMachines };
      }),
    waitForBMCCommand: ({ partition }, context) => commands(dependencies, partition, context),
    async bMCCommandDone({ commandId, error }) {
      if (!(await stores.bmcCommands.done(commandId, error)))
        throw new ApiError(Code.NotFound, `there is no open command "${commandId}"`);
      return {};
    },
  });
}

/**
 * A report about a machine of another partition is passed over. What only the machine itself knows, its user and
 * password, stays; a port that the machine has told stays, too.
 */
async function takeReport(
  stores: Stores,
  partition: string,
  report: apiV2.MachineBMCReport,
): Promise<'updated' | 'created' | 'passed over'> {
  const id = machineIdOf(report.uuid);
  const known = await stores.machines.get(id);
  const its = known?.value.partition?.id ?? '';
  if (known !== undefined && its !== '' && its !== partition) return 'passed over';
  await findOrCreateMachine(stores, id, partition);
  const before = await stores.bmcs.get(id);
  const bmc = mergeBmc(before?.bmc, report.bmc);
  const merged = create(apiV2.MachineBMCReportSchema, { uuid: id, bmc });
  const bios = mergeBios(before?.bios, report.bios);
  const fru = mergeFru(before?.fru, report.fru);
  const ledState = report.ledState ?? before?.ledState;
  const powerMetric = report.powerMetric ?? before?.powerMetric;
  if (bios !== undefined) merged.bios = bios;
  if (fru !== undefined) merged.fru = fru;
  if (ledState !== undefined) merged.ledState = ledState;
  if (powerMetric !== undefined) merged.powerMetric = powerMetric;
  merged.powerSupplies = report.powerSupplies.length > 0 ? report.powerSupplies : (before?.powerSupplies ?? []);
  if (report.updatedAt !== undefined) merged.updatedAt = report.updatedAt;
  await stores.bmcs.put(id, merged);
  if (report.ledState !== undefined) await noteLed(stores, id, report.ledState);
  return known === undefined ? 'created' : 'updated';
}

/** The newer report, with what it does not say from the one before. */
function mergeBmc(before: apiV2.MachineBMC | undefined, now: apiV2.MachineBMC | undefined): apiV2.MachineBMC {
  const merged = before === undefined ? create(apiV2.MachineBMCSchema) : clone(apiV2.MachineBMCSchema, before);
  if (now === undefined) return merged;
  if (now.address !== '') merged.address = withPort(now.address, before?.address);
  if (now.mac !== '') merged.mac = now.mac;
  if (now.user !== '') merged.user = now.user;
  if (now.password !== '') merged.password = now.password;
  if (now.interface !== '') merged.interface = now.interface;
  if (now.version !== '') merged.version = now.version;
  if (now.powerState !== '') merged.powerState = now.powerState;
  return merged;
}

/** A BMC knows the version of the BIOS only; vendor and date are what the machine has said. */
function mergeBios(
  before: apiV2.MachineBios | undefined,
  now: apiV2.MachineBios | undefined,
): apiV2.MachineBios | undefined {
  if (now === undefined || before === undefined) return now ?? before;
  const { version, vendor, date } = now;
  return create(apiV2.MachineBiosSchema, {
    version: version === '' ? before.version : version,
    vendor: vendor === '' ? before.vendor : vendor,
    date: date === '' ? before.date : date,
  });
}

/** Redfish and IPMI each know numbers that the other does not. */
function mergeFru(
  before: apiV2.MachineFRU | undefined,
  now: apiV2.MachineFRU | undefined,
): apiV2.MachineFRU | undefined {
  if (now === undefined || before === undefined) return now ?? before;
  const { $typeName: _, $unknown: __, ...told } = now;
  return Object.assign(clone(apiV2.MachineFRUSchema, before), told);
}

/** The LED as people see it in the list of machines; written only when it changes, since it is told every few minutes. */
async function noteLed(stores: Stores, id: string, led: apiV2.MachineChassisIdentifyLEDState): Promise<void> {
  const machine = await stores.machines.get(id);
  if (machine === undefined || machine.value.status?.ledState?.value === led.value) return;
  machine.value.status ??= create(apiV2.MachineStatusSchema);
  machine.value.status.ledState = led;
  await stores.machines.put(id, machine.value);
}

/** IPMI's own port, unless the machine has said another one. */
const IPMI_PORT = '623';

function withPort(address: string, before: string | undefined): string {
  const port = /:(\d+)$/.exec(before ?? '')?.[1] ?? IPMI_PORT;
  const host = /^(.*):\d+$/.exec(address)?.[1];
  return host === undefined ? `${address}:${port}` : address;
}

/** Why a command of the API's own is not given out any more: it was for whoever had the machine then. */
async function refusalOf(stores: Stores, { command, machine }: BmcCommand): Promise<string | undefined> {
  const isAllocated = (await stores.machines.get(machine))?.value.allocation !== undefined;
  if (command === Command.MACHINE_BMC_COMMAND_MACHINE_DELETED && isAllocated)
    return 'not done: the machine is allocated again, and must not be restarted';
  if (command === Command.MACHINE_BMC_COMMAND_MACHINE_CREATED && !isAllocated)
    return 'not done: the machine is given back already';
  return undefined;
}

/** A lost notification costs a command no more than this; so does one whose worker was killed. */
const LOOK_EVERY_MS = 10_000;

async function* commands(
  { stores, database, clock }: ServiceDependencies,
  partition: string,
  { signal, checkAgain }: ServerContext<Caller>,
): AsyncGenerator<infraV2.WaitForBMCCommandResponse> {
  await stores.partitions.need(partition);
  let next = Promise.withResolvers<void>();
  const changes = database.subscribe('bmc_command', (told) => {
    if (told === undefined || told === partition) next.resolve();
  });
  const timer = clock.setInterval(() => next.resolve(), LOOK_EVERY_MS);
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => undefined);
  const end = (): void => over.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      await checkAgain();
      const command = await stores.bmcCommands.take(partition);
      if (command === undefined) {
        await Promise.race([next.promise, over.promise]);
        next = Promise.withResolvers<void>();
        continue;
      }
      const bmc = (await stores.bmcs.get(command.machine))?.bmc;
      const refusal =
        (await refusalOf(stores, command)) ??
        (bmc === undefined || bmc.address === ''
          ? 'nothing is known of the management controller of this machine'
          : undefined);
      if (bmc === undefined || refusal !== undefined) {
        await stores.bmcCommands.done(command.id, refusal, false);
        continue;
      }
      yield create(infraV2.WaitForBMCCommandResponseSchema, {
        uuid: command.machine,
        bmcCommand: command.command,
        machineBmc: bmc,
        commandId: command.id,
      });
    }
  } finally {
    timer.cancel();
    changes[Symbol.dispose]();
    signal.removeEventListener('abort', end);
  }
}
