import { apiV2, create, durationFromMs, fromBinary, infraV2, methodPath, toBinary } from '@ingot/api';
import { PARTITION, registration, type SimulatedMachine } from './hall.ts';
import type { Latencies } from './latencies.ts';
import { inParallel, mint, timed, type Rig } from './rig.ts';

const { MachineProvisioningEventType: Event } = apiV2;
const { method: boot } = infraV2.BootService;
const TOKEN_LIFETIME_MS = 6 * 3_600_000;

/** Registers the switches, each with a token of its own; answers those. */
export async function registerSwitches(rig: Rig, latencies: Latencies, atOnce: number): Promise<string[]> {
  const path = methodPath(infraV2.SwitchService.method.register);
  const tokens: string[] = [];
  await inParallel(rig.hall.switches, atOnce, async (one, index) => {
    const token = await mint(rig.admin, { infraRole: apiV2.InfraRole.EDITOR });
    tokens[index] = token;
    const request = create(infraV2.SwitchServiceRegisterRequestSchema, { switch: one });
    const message = toBinary(infraV2.SwitchServiceRegisterRequestSchema, request);
    await timed(latencies, 'Switch.Register', () => rig.shared(index).call(path, token, message));
  });
  return tokens;
}

/**
 * All machines are switched on at once: for each what the boot server asks (the boot event, what to boot, a token), then
 * what the machine says with that token (Preparing, Registering, Register, Waiting), one after the other. So many machines
 * are under way at any time; the others come as these get through. Answers the machines' tokens.
 */
export async function registerStorm(rig: Rig, latencies: Latencies, atOnce: number): Promise<string[]> {
  const bootServer = await mint(rig.admin, {
    infraRole: apiV2.InfraRole.EDITOR,
    machineRoles: { '*': apiV2.MachineRole.EDITOR },
  });
  const tokens: string[] = [];
  await inParallel(rig.hall.machines, atOnce, async (machine, index) => {
    tokens[index] = await switchOn(rig, latencies, machine, index, bootServer);
  });
  return tokens;
}

async function switchOn(
  rig: Rig,
  latencies: Latencies,
  machine: SimulatedMachine,
  index: number,
  bootServer: string,
): Promise<string> {
  const { uuid } = machine;
  const connection = rig.shared(index);
  const dhcp = toBinary(
    infraV2.BootServiceDhcpRequestSchema,
    create(infraV2.BootServiceDhcpRequestSchema, { uuid, partition: PARTITION }),
  );
  await timed(latencies, 'Boot.Dhcp', () => connection.call(methodPath(boot.dhcp), bootServer, dhcp));
  const what = toBinary(
    infraV2.BootServiceBootRequestSchema,
    create(infraV2.BootServiceBootRequestSchema, { mac: '52:54:00:00:00:01', partition: PARTITION }),
  );
  await timed(latencies, 'Boot.Boot', () => connection.call(methodPath(boot.boot), bootServer, what));
  const wanted = create(apiV2.TokenServiceCreateRequestSchema, {
    description: `discovery of ${uuid}`,
    expires: durationFromMs(TOKEN_LIFETIME_MS),
    machineRoles: { [uuid]: apiV2.MachineRole.EDITOR },
  });
  const grant = await timed(latencies, 'Token.Create', () =>
    connection.call(
      methodPath(apiV2.TokenService.method.create),
      bootServer,
      toBinary(apiV2.TokenServiceCreateRequestSchema, wanted),
    ),
  );
  if (grant === undefined) return '';
  const token = fromBinary(apiV2.TokenServiceCreateResponseSchema, grant).secret;
  const say = async (event: apiV2.MachineProvisioningEventType, message: string): Promise<void> => {
    await timed(latencies, 'Event.Send', () => connection.call(SEND, token, eventOf(uuid, event, message)));
  };
  await say(Event.PREPARING, 'PowerEdge R740, 2 processors, 8 disks');
  await say(Event.REGISTERING, 'registering');
  const register = toBinary(infraV2.BootServiceRegisterRequestSchema, registration(machine, index));
  await timed(latencies, 'Boot.Register', () => connection.call(methodPath(boot.register), token, register));
  await say(Event.WAITING, 'waiting for an allocation');
  return token;
}

export const SEND: string = methodPath(infraV2.EventService.method.send);

export function eventOf(uuid: string, event: apiV2.MachineProvisioningEventType, message: string): Uint8Array {
  const request = create(infraV2.EventServiceSendRequestSchema, { events: { [uuid]: { event, message } } });
  return toBinary(infraV2.EventServiceSendRequestSchema, request);
}
