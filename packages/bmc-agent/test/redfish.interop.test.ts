import { apiV2, create } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { carryOut } from '../src/carry-out.ts';
import { redfishCall, type RedfishTrust } from '../src/redfish/redfish-call.ts';
import { redfishController } from '../src/redfish/redfish-controller.ts';
import { targetOf } from '../src/target.ts';
import { startRedfishBmc, type RedfishBmc } from './redfish-bmc.ts';

const { MachineBMCCommand: Command } = apiV2;

function order(
  bmc: RedfishBmc,
  command: apiV2.MachineBMCCommand,
  trust: Partial<RedfishTrust>,
  password = bmc.password,
) {
  const signal = AbortSignal.timeout(10_000);
  const { address, user } = bmc;
  const target = targetOf(create(apiV2.MachineBMCSchema, { address, user, password, interface: 'redfish' }));
  const call = redfishCall(target, { fingerprints: [], insecure: false, ...trust }, signal);
  const controller = redfishController({ call, machine: 'aaaaaaaa-0000-4000-8000-00000000000a', uefi: true });
  return carryOut(command, controller, { clock: systemClock, signal });
}

const pinned = (bmc: RedfishBmc): Partial<RedfishTrust> => ({
  fingerprints: [bmc.fingerprint.replaceAll(':', '').toLowerCase()],
});

test('a BMC that speaks Redfish does what it is told, by what it says it can', async () => {
  await using bmc = await startRedfishBmc();
  for (const command of [
    Command.MACHINE_BMC_COMMAND_OFF,
    Command.MACHINE_BMC_COMMAND_MACHINE_DELETED,
    Command.MACHINE_BMC_COMMAND_RESET,
    Command.MACHINE_BMC_COMMAND_CYCLE,
    Command.MACHINE_BMC_COMMAND_MACHINE_CREATED,
    Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON,
    Command.MACHINE_BMC_COMMAND_OFF,
  ])
    await order(bmc, command, pinned(bmc));
  const once = (target: string): string =>
    `PATCH {"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":"${target}","BootSourceOverrideMode":"UEFI"}}`;
  expect(bmc.done).toEqual([
    once('Pxe'),
    'POST {"ResetType":"On"}',
    'POST {"ResetType":"ForceRestart"}',
    'POST {"ResetType":"ForceOff"}',
    'POST {"ResetType":"On"}',
    once('Hdd'),
    'PATCH {"IndicatorLED":"Blinking"}',
    'POST {"ResetType":"ForceOff"}',
  ]);
  bmc.system['LocationIndicatorActive'] = true;
  await order(bmc, Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF, { ca: bmc.certificate });
  expect(bmc.done.at(-1)).toBe('PATCH {"LocationIndicatorActive":false}');
});

test('a certificate that is not trusted gets no password', async () => {
  await using bmc = await startRedfishBmc();
  for (const trust of [{}, { fingerprints: ['0'.repeat(64)] }])
    await expect(order(bmc, Command.MACHINE_BMC_COMMAND_ON, trust)).rejects.toMatchObject({ code: 'BMC_CERTIFICATE' });
  expect(bmc.logins).toEqual([]);
  await order(bmc, Command.MACHINE_BMC_COMMAND_ON, { insecure: true });
  expect(bmc.system['PowerState']).toBe('On');
});

test('refusals have a name, and no password', async () => {
  await using bmc = await startRedfishBmc();
  const failure = async (command: apiV2.MachineBMCCommand, password?: string): Promise<unknown> =>
    order(bmc, command, pinned(bmc), password).catch((error: unknown) => error);
  const login = await failure(Command.MACHINE_BMC_COMMAND_ON, 'wrong-secret-9');
  expect(login).toMatchObject({ code: 'BMC_LOGIN' });
  expect(String(login)).not.toContain('wrong-secret-9');
  bmc.system['Boot'] = { 'BootSourceOverrideTarget@Redfish.AllowableValues': ['None', 'Hdd'] };
  expect(await failure(Command.MACHINE_BMC_COMMAND_BOOT_FROM_PXE)).toMatchObject({ code: 'BMC_UNSUPPORTED' });
  bmc.system['Actions'] = { '#ComputerSystem.Reset': { target: 'https://elsewhere/reset' } };
  expect(await failure(Command.MACHINE_BMC_COMMAND_ON)).toMatchObject({ code: 'BMC_ANSWER' });
  await bmc[Symbol.asyncDispose]();
  expect(await failure(Command.MACHINE_BMC_COMMAND_ON)).toMatchObject({ code: 'BMC_UNREACHABLE' });
  expect(bmc.done).toEqual([]);
});
