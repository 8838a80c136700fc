import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiV2, create } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { carryOut } from '../src/carry-out.ts';
import type { BmcConnection } from '../src/controller.ts';
import { BmcError } from '../src/errors.ts';
import type { RedfishTrust } from '../src/redfish/open-tls.ts';
import { redfishController } from '../src/redfish/redfish-controller.ts';
import { redfishSession } from '../src/redfish/redfish-session.ts';
import { targetOf } from '../src/target.ts';
import { startRedfishBmc, type RedfishBmc } from './redfish-bmc.ts';

const { MachineBMCCommand: Command } = apiV2;

function connect(bmc: RedfishBmc, trust: Partial<RedfishTrust>, password = bmc.password): BmcConnection {
  const { address, user } = bmc;
  const target = targetOf(create(apiV2.MachineBMCSchema, { address, user, password, interface: 'redfish' }));
  const session = redfishSession(target, { fingerprints: [], insecure: false, ...trust }, AbortSignal.timeout(30_000));
  return redfishController({ session, machine: 'aaaaaaaa-0000-4000-8000-00000000000a', uefi: true });
}

async function order(
  bmc: RedfishBmc,
  command: apiV2.MachineBMCCommand,
  trust: Partial<RedfishTrust>,
  password?: string,
): Promise<void> {
  const controller = connect(bmc, trust, password);
  try {
    await carryOut(command, controller, { clock: systemClock, signal: AbortSignal.timeout(30_000) });
  } finally {
    await controller.close();
  }
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

test('a login is a session that is ended, and user and password with each call where there are none', async () => {
  await using bmc = await startRedfishBmc();
  await order(bmc, Command.MACHINE_BMC_COMMAND_CYCLE, pinned(bmc));
  expect(bmc.logins).toEqual(['session root:rack-secret-7']);
  expect([...bmc.open]).toEqual([]);
  for (const sessions of ['none free', 'unknown'] as const) {
    bmc.sessions = sessions;
    await order(bmc, Command.MACHINE_BMC_COMMAND_OFF, pinned(bmc));
    expect(bmc.logins.at(-1)).toBe('root:rack-secret-7');
    bmc.system['PowerState'] = 'On';
  }
  bmc.sessions = 'given';
  bmc.logins.length = 0;
  await expect(order(bmc, Command.MACHINE_BMC_COMMAND_OFF, pinned(bmc), 'wrong-secret-9')).rejects.toMatchObject({
    code: 'BMC_LOGIN',
  });
  // One try: a second one could lock the user out.
  expect(bmc.logins).toEqual(['session root:wrong-secret-9']);
});

test('a session that the BMC forgets, and connections that it closes, cost no command', async () => {
  await using bmc = await startRedfishBmc();
  const controller = connect(bmc, pinned(bmc));
  expect(await controller.isOn()).toBe(false);
  bmc.open.clear();
  expect(await controller.isOn()).toBe(false);
  const before = bmc.connections;
  bmc.inFront = (request, response) => {
    // Closes what it has kept, like a server whose patience is over, without an answer.
    if (bmc.connections > before) return false;
    response.socket?.destroy();
    return request.url !== undefined;
  };
  expect(await controller.isOn()).toBe(false);
  await controller.close();
});

test('a reset that has no answer is sent once, and nobody knows whether it was done', async () => {
  await using bmc = await startRedfishBmc();
  bmc.system['PowerState'] = 'On';
  let resets = 0;
  bmc.inFront = (request, response) => {
    if (request.method !== 'POST' || request.url?.includes('Reset') !== true) return false;
    resets += 1;
    response.socket?.destroy();
    return true;
  };
  await expect(order(bmc, Command.MACHINE_BMC_COMMAND_RESET, pinned(bmc))).rejects.toMatchObject({
    code: 'BMC_UNKNOWN',
  });
  expect(resets).toBe(1);
  await bmc[Symbol.asyncDispose]();
  await expect(order(bmc, Command.MACHINE_BMC_COMMAND_RESET, pinned(bmc))).rejects.toMatchObject({
    code: 'BMC_UNREACHABLE',
  });
});

test('the LED of a machine may be at its chassis', async () => {
  await using bmc = await startRedfishBmc();
  delete bmc.system['IndicatorLED'];
  await expect(order(bmc, Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON, pinned(bmc))).rejects.toMatchObject({
    code: 'BMC_UNSUPPORTED',
  });
  bmc.chassis['IndicatorLED'] = 'Off';
  await order(bmc, Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON, pinned(bmc));
  bmc.chassis['LocationIndicatorActive'] = true;
  await order(bmc, Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF, pinned(bmc));
  expect(bmc.done).toEqual([
    'PATCH chassis {"IndicatorLED":"Blinking"}',
    'PATCH chassis {"LocationIndicatorActive":false}',
  ]);
});

test('a BMC is asked for all that it knows, and why the rest is missing is said', async () => {
  await using bmc = await startRedfishBmc();
  const inspect = async () => {
    const controller = connect(bmc, pinned(bmc));
    try {
      return await controller.inspect();
    } finally {
      await controller.close();
    }
  };
  const bare = await inspect();
  expect(bare).toMatchObject({ isOn: false, isLit: false });
  expect(bare.missing.map(({ fact }) => fact)).toEqual([
    'powerMetric',
    'version',
    'biosVersion',
    'fru',
    'powerSupplies',
  ]);
  const at = (id: string): object => ({ '@odata.id': `/redfish/v1/${id}` });
  Object.assign(bmc.system, {
    PowerState: 'On',
    BiosVersion: '2.1\u001B[2J ',
    Manufacturer: 'Maker',
    PartNumber: 'P-1',
    SerialNumber: 'S-1',
    Links: { Chassis: [at('Chassis/1')], ManagedBy: [at('Managers/1')] },
  });
  Object.assign(bmc.chassis, {
    PartNumber: 'C-1',
    SerialNumber: 'CS-1',
    LocationIndicatorActive: true,
    Assembly: at('Chassis/1/Assembly'),
    Power: at('Chassis/1/Power'),
    PowerSubsystem: at('Chassis/1/PowerSubsystem'),
  });
  delete bmc.system['IndicatorLED'];
  const page = (from: number): string => `/redfish/v1/Chassis/1/Supplies?$skip=${from}`;
  Object.assign(bmc.resources, {
    '/redfish/v1/Managers/1': { FirmwareVersion: '7.10.30' },
    '/redfish/v1/Chassis/1/Assembly': {
      Assemblies: [
        { PhysicalContext: 'Fan', SerialNumber: 'F-1' },
        { PhysicalContext: 'SystemBoard', Vendor: 'Board Co', PartNumber: 'B-1', SerialNumber: 'BS-1' },
      ],
    },
    '/redfish/v1/Chassis/1/Power': {
      PowerControl: [
        {},
        {
          PowerMetrics: { AverageConsumedWatts: 211.5, IntervalInMin: 1, MaxConsumedWatts: 380, MinConsumedWatts: 90 },
        },
      ],
    },
    '/redfish/v1/Chassis/1/PowerSubsystem': { PowerSupplies: at('Chassis/1/Supplies') },
    '/redfish/v1/Chassis/1/Supplies': { Members: [at('PSU1')], 'Members@odata.nextLink': page(1) },
    [page(1)]: { Members: [at('PSU2')] },
    '/redfish/v1/PSU1': { Status: { Health: 'OK', State: 'Enabled' } },
    '/redfish/v1/PSU2': { Status: { Health: null, State: 'Absent' } },
  });
  const before = bmc.connections;
  expect(await inspect()).toEqual({
    isOn: true,
    uuid: 'aaaaaaaa-0000-4000-8000-00000000000a',
    isLit: true,
    version: '7.10.30',
    biosVersion: '2.1 [2J',
    fru: {
      chassisPartNumber: 'C-1',
      chassisPartSerial: 'CS-1',
      boardMfg: 'Board Co',
      boardMfgSerial: 'BS-1',
      boardPartNumber: 'B-1',
      productManufacturer: 'Maker',
      productPartNumber: 'P-1',
      productSerial: 'S-1',
    },
    powerMetric: { averageConsumedWatts: 211.5, intervalInMin: 1, maxConsumedWatts: 380, minConsumedWatts: 90 },
    powerSupplies: [
      { health: 'OK', state: 'Enabled' },
      { health: '', state: 'Absent' },
    ],
    missing: [],
  });
  // The questions share a connection; the session has one to begin and one to end.
  expect(bmc.connections - before).toBe(3);
});

describe('a hostile BMC gets an end:', () => {
  type Front = RedfishBmc['inFront'];
  const systems = (request: IncomingMessage): boolean => request.url?.startsWith('/redfish/v1/Systems') === true;
  const json = (response: ServerResponse, value: unknown): true => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    return true;
  };
  const list = (next: string) => ({ Members: [], 'Members@odata.nextLink': next });
  test.each<[string, string, RegExp, Front]>([
    [
      'an answer without end',
      'BMC_ANSWER',
      /more than 1048576 bytes/,
      (request, response) => {
        if (!systems(request)) return false;
        response.writeHead(200);
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(65_536, 0x20), () => setImmediate(more));
        };
        more();
        return true;
      },
    ],
    [
      'a list that goes round',
      'BMC_ANSWER',
      /has no end/,
      (request, response) =>
        systems(request) &&
        json(response, list(request.url === '/redfish/v1/Systems' ? '/redfish/v1/Systems?1' : '/redfish/v1/Systems')),
    ],
    [
      'a list with always one more page',
      'BMC_ANSWER',
      /has no end/,
      (request, response) => systems(request) && json(response, list(`${request.url}0`)),
    ],
    [
      'a list that goes on elsewhere',
      'BMC_ANSWER',
      /not as Redfish has it, at "Members@odata.nextLink"/,
      (request, response) => systems(request) && json(response, list('https://elsewhere/redfish/v1/Systems')),
    ],
    [
      'a redirect to elsewhere',
      'BMC_ANSWER',
      /a redirect that is not followed/,
      (request, response) => {
        if (!systems(request)) return false;
        response.writeHead(302, { location: 'https://elsewhere/redfish/v1/Systems' }).end();
        return true;
      },
    ],
    [
      'a redirect to itself',
      'BMC_ANSWER',
      /a redirect that is not followed/,
      (request, response) => {
        if (!systems(request)) return false;
        response.writeHead(308, { location: request.url ?? '' }).end();
        return true;
      },
    ],
    [
      'an answer that never ends, a byte at a time',
      'BMC_TIMEOUT',
      /patience/,
      (request, response) => {
        if (!systems(request)) return false;
        response.writeHead(200);
        const dripping = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(dripping));
        return true;
      },
    ],
  ])('%s', async (_, code, message, front) => {
    await using bmc = await startRedfishBmc();
    bmc.inFront = front;
    const deadline = new AbortController();
    const { address, user, password } = bmc;
    const target = targetOf(create(apiV2.MachineBMCSchema, { address, user, password, interface: 'redfish' }));
    const session = redfishSession(target, { fingerprints: [], insecure: true }, deadline.signal);
    const controller = redfishController({ session, machine: 'aaaaaaaa-0000-4000-8000-00000000000a', uefi: true });
    const outcome = expect(controller.isOn()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    // Only for who never ends: a slow host has its time for the others.
    const patienceMs = code === 'BMC_TIMEOUT' ? 1500 : 30_000;
    const impatience = setTimeout(() => deadline.abort(new BmcError('BMC_TIMEOUT', 'patience')), patienceMs);
    await outcome;
    clearTimeout(impatience);
    bmc.inFront = () => false;
    await controller.close();
    expect([...bmc.open]).toEqual([]);
  });

  test('a path with a slash at its end is followed, as to HPE’s', async () => {
    await using bmc = await startRedfishBmc();
    bmc.resources['/redfish/v1/Systems/'] = bmc.resources['/redfish/v1/Systems'];
    bmc.inFront = (request, response) => {
      if (request.url !== '/redfish/v1/Systems') return false;
      response.writeHead(308, { location: `https://${bmc.address}/redfish/v1/Systems/` }).end();
      return true;
    };
    await order(bmc, Command.MACHINE_BMC_COMMAND_ON, pinned(bmc));
    expect(bmc.system['PowerState']).toBe('On');
  });
});
