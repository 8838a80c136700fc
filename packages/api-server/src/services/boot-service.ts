import { ApiError, apiV2, bindService, Code, infraV2, type BoundService, type ServerContext } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { orderBmcCommand } from '../machine/bmc-commands.ts';
import { expiryOf } from '../auth/token-issuer.ts';
import type { Caller } from '../auth/caller.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { noteBoot } from '../machine/note-events.ts';
import { refuseUnwiped } from '../machine/wipe-order.ts';
import { registerMachine } from '../machine/register-machine.ts';
import type { Stores } from '../store/stores.ts';
import { setPortVrfs, vrfOf } from '../topology/port-vrfs.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.infra.v2.BootService`: from the first DHCP request to waiting, and to an installed system. */
export function bootService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores, clock, entropy, superUserPassword } = dependencies;
  return bindService<typeof infraV2.BootService, Caller>(infraV2.BootService, {
    async dhcp({ uuid, partition }) {
      await noteBoot(stores, machineIdOf(uuid), partition, (inner) => partitionOf(inner, partition));
      return {};
    },
    async boot({ partition }) {
      const { bootConfiguration } = await partitionOf(stores, partition);
      if (bootConfiguration === undefined) {
        throw new ApiError(Code.FailedPrecondition, `partition "${partition}" has no boot configuration: give it one`);
      }
      return {
        kernel: bootConfiguration.kernelUrl,
        initRamDisks: [bootConfiguration.imageUrl],
        cmdline: bootConfiguration.commandline,
      };
    },
    async superUserPassword({ uuid }) {
      const password = superUserPassword();
      const allocation = (await stores.machines.get(machineIdOf(uuid)))?.value.allocation;
      // It opens every BMC: what runs on a machine that is somebody's is not to hear it.
      return password === undefined || allocation !== undefined
        ? { featureDisabled: true }
        : { superUserPassword: password };
    },
    async register(request) {
      const machine = await registerMachine(stores, clock, request);
      return { uuid: machine.id, size: machine.value.size?.id ?? '', partition: request.partition };
    },
    wait: (request, context) => wait(dependencies, machineIdOf(request.uuid), context),
    installationSucceeded: ({ uuid, consolePassword }) =>
      stores.transaction(async (inner) => {
        const machine = await inner.machines.need(machineIdOf(uuid));
        const { allocation } = machine.value;
        if (allocation === undefined) {
          throw new ApiError(
            Code.FailedPrecondition,
            `machine ${machine.id} is not allocated, so nothing can have been installed on it`,
          );
        }
        await inner.consolePasswords.put(machine.id, consolePassword);
        await setPortVrfs(inner, machine.id, vrfOf(allocation));
        await orderBmcCommand(inner, machine, apiV2.MachineBMCCommand.MACHINE_BMC_COMMAND_MACHINE_CREATED, () =>
          uuidV7(clock.now(), entropy),
        );
        return {};
      }),
  });
}

async function* wait(
  { stores, waitingRoom, clock }: ServiceDependencies,
  machine: string,
  context: ServerContext<Caller>,
): AsyncGenerator<{ allocation: apiV2.MachineAllocation }> {
  if (!(await stores.machines.has(machine))) {
    throw new ApiError(Code.NotFound, `there is no machine ${machine}: register it first`);
  }
  await using seat = await waitingRoom.enter(machine);
  using timer = tokenTimer(clock, expiryOf(context.caller));
  const signal = AbortSignal.any([context.signal, seat.replaced, timer.expired]);
  let sent: string | undefined;
  for (;;) {
    const found = await unlessAway(async () => {
      await context.checkAgain();
      return (await stores.machines.get(machine))?.value;
    });
    const allocation = found?.allocation;
    // A machine that waits can be allocated, so one that has disks to erase may not.
    if (found !== undefined && allocation === undefined) refuseUnwiped(found);
    if (allocation !== undefined && allocation.uuid !== sent) {
      yield { allocation };
      sent = allocation.uuid;
    }
    await seat.changed(signal);
  }
}

/** A stream outlives a database that is away: the seat is woken when that is back. */
async function unlessAway<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && error.code === Code.Unavailable) return undefined;
    throw error;
  }
}

/** Timers hold 31 bits of milliseconds; a token that lives longer than 24 days is looked at when its stream reconnects. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends a stream together with the token that opened it. */
function tokenTimer(clock: Clock, expiresAt: number): Disposable & { readonly expired: AbortSignal } {
  const expired = new AbortController();
  const remainingMs = Math.max(0, expiresAt - clock.now());
  const expire = (): void =>
    expired.abort(new ApiError(Code.Unauthenticated, 'the token of this stream has expired: ask for another one'));
  const timer = remainingMs > MAX_TIMER_MS ? undefined : clock.setTimeout(expire, remainingMs);
  return { expired: expired.signal, [Symbol.dispose]: () => timer?.cancel() };
}

async function partitionOf(stores: Stores, id: string): Promise<apiV2.Partition> {
  const stored = await stores.partitions.get(id);
  if (stored === undefined) throw new ApiError(Code.NotFound, `there is no partition "${id}": define it first`);
  return stored.value;
}
