import type { IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineA, machineB, startRig, type Rig } from './support.ts';

/**
 * Messages as metal-stack's own agents send them, over Connect as they do, each with the token that it has there. The JSON
 * names are the contract's.
 */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

type Json = { readonly [name: string]: unknown };

/** What a call is answered: the message, or Connect's error. */
async function call(path: string, body: Json, token: string): Promise<{ status: number; answer: unknown }> {
  const headers = {
    'content-type': 'application/json',
    'connect-protocol-version': '1',
    authorization: `Bearer ${token}`,
  };
  const url = `${rig.url}/metalstack.${path}`;
  const sent = https(url, { method: 'POST', ca: rig.ca, agent: false, headers }).end(JSON.stringify(body));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  return { status: response.statusCode ?? 0, answer: await json(response) };
}

/** A token with what an agent asks for when it is deployed. */
async function tokenOf(rights: Json): Promise<string> {
  const request = { description: 'agent', expires: '518400s', ...rights };
  const { answer } = await call('api.v2.TokenService/Create', request, rig.adminToken);
  return textOf(answer, 'secret');
}

function textOf(answer: unknown, name: string): string {
  const found: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined;
  if (typeof found !== 'string') throw new Error(`${name} is missing: ${JSON.stringify(answer)}`);
  return found;
}

const infra = (...methods: string[]) => ({ infra: { methods: methods.map((one) => `/metalstack.infra.v2.${one}`) } });
const self = (...methods: string[]) => ({ self: { methods: methods.map((one) => `/metalstack.api.v2.${one}`) } });
const METAL_CORE = {
  permissions: [
    self('TokenService/Refresh'),
    infra('SwitchService/Get', 'SwitchService/Heartbeat', 'SwitchService/Register', 'ComponentService/Ping'),
    infra('EventService/Send'),
  ],
};
const METAL_BMC = {
  permissions: [
    self('TokenService/Refresh'),
    infra('BMCService/UpdateBMCInfo', 'BMCService/BMCCommandDone', 'ComponentService/Ping'),
  ],
};
const PIXIE = {
  permissions: [
    self('TokenService/Create', 'TokenService/Refresh'),
    infra('BootService/Dhcp', 'BootService/Boot', 'EventService/Send', 'ComponentService/Ping'),
  ],
  machineRoles: { '*': 'MACHINE_ROLE_EDITOR' },
};
const HAMMER = (uuid: string) => ({ machineRoles: { [uuid]: 'MACHINE_ROLE_EDITOR' } });

const UP = { actual: 'SWITCH_PORT_STATUS_UP' };
const leaf = (id: string, change: Json = {}): Json => ({
  id,
  description: `leaf ${id}`,
  rack: 'fra-equ01-r01',
  room: 'room-1',
  partition: 'lab',
  replaceMode: 'SWITCH_REPLACE_MODE_OPERATIONAL',
  managementIp: '10.1.253.11',
  managementUser: 'admin',
  nics: [
    { name: 'Ethernet0', identifier: 'Eth1/1(Port1)', mac: 'AA:bb:cc:00:00:01', state: UP },
    {
      name: 'Ethernet4',
      identifier: 'Eth2/1(Port2)',
      mac: 'aa:bb:cc:00:00:02',
      state: { actual: 'SWITCH_PORT_STATUS_DOWN' },
    },
    { name: 'Ethernet120', identifier: 'Eth31(Port31)', state: { actual: 'SWITCH_PORT_STATUS_UNKNOWN' } },
  ],
  os: {
    vendor: 'SWITCH_OS_VENDOR_SONIC',
    version: 'ec202211.3-20231212',
    metalCoreVersion: 'v0.18.0 (b95ec7bb), tags/v0.18.0, go1.26.1',
  },
  ...change,
});
const session = {
  neighbor: 'exit01',
  peerGroup: 'FABRIC',
  vrfName: 'default',
  bgpState: 'BGP_STATE_ESTABLISHED',
  bgpTimerUpEstablished: '2026-06-01T10:00:00Z',
  sentPrefixCounter: '31',
  acceptedPrefixCounter: '42',
};
const beat = (change: Json = {}): Json => ({
  id: 'leaf01',
  duration: '0.731204s',
  portStates: {
    Ethernet0: 'SWITCH_PORT_STATUS_UP',
    Ethernet4: 'SWITCH_PORT_STATUS_DOWN',
    Ethernet120: 'SWITCH_PORT_STATUS_UP',
  },
  bgpPortStates: { Ethernet120: session },
  ...change,
});
const ping = (type: string, change: Json = {}): Json => ({
  type: `COMPONENT_TYPE_${type}`,
  identifier: 'leaf01',
  startedAt: '2026-01-01T00:00:00.123456789Z',
  interval: '300s',
  version: {
    version: 'v0.18.0',
    revision: 'tags/v0.18.0',
    gitSha1: 'b95ec7bb',
    buildDate: '2026-06-01T10:00:00+00:00',
  },
  ...change,
});
const cable = (name: string, hostname: string) => ({
  name,
  mac: '0c:c4:7a:00:00:01',
  vendor: 'Intel Corporation',
  model: 'Ethernet Controller X710 for 10GbE SFP+',
  speed: '10000',
  neighbors: [{ mac: 'aa:bb:cc:00:00:01', name: 'Eth1/1(Port1)', hostname, identifier: 'Eth1/1(Port1)' }],
});
const registration = (uuid: string, change: Json = {}): Json => ({
  uuid,
  partition: 'lab',
  metalHammerVersion: 'v0.15.0 (abc), tags/v0.15.0, go1.26.1',
  tags: [],
  hardware: {
    memory: '137438953472',
    disks: [{ name: '/dev/nvme0n1', size: '960197124096' }],
    cpus: [{ vendor: 'AuthenticAMD', model: 'AMD EPYC 7402P 24-Core Processor', cores: 24, threads: 48 }],
    gpus: [{ vendor: 'NVIDIA Corporation', model: 'GH100 [H100 PCIe]' }],
    // The agent counts the loopback interface among the cards.
    nics: [cable('eth0', 'leaf01'), cable('eth1', 'leaf02'), { name: 'lo', mac: '00:00:00:00:00:00' }],
  },
  bios: { version: '2.4', vendor: 'American Megatrends Inc.', date: '12/27/2021' },
  bmc: {
    address: '10.1.0.7:623',
    mac: '0c:c4:7a:99:00:01',
    user: 'metal',
    password: 'secret',
    interface: 'lanplus',
    version: '01.73.06',
    powerState: 'ON',
  },
  fru: { chassisPartSerial: 'C1080', boardMfg: 'Supermicro', productSerial: 'S123' },
  ...change,
});
const report = (uuid: string, change: Json = {}): Json => ({
  partition: 'lab',
  bmcReports: [
    {
      uuid,
      bmc: {
        address: '10.1.0.8:623',
        mac: '0c:c4:7a:99:00:02',
        user: '',
        password: '',
        interface: '',
        version: '1',
        powerState: 'ON',
      },
      bios: { version: '2.4' },
      fru: { productSerial: 'S124' },
      powerMetric: { averageConsumedWatts: 211.5, intervalInMin: 1, maxConsumedWatts: 260, minConsumedWatts: 190 },
      powerSupplies: [
        { health: 'OK', state: 'Enabled' },
        { health: '', state: '' },
      ],
      ledState: { value: 'LED-OFF' },
      updatedAt: '2026-06-01T10:00:00Z',
      ...change,
    },
  ],
});
const event = (type: string) => ({
  time: '2026-06-01T10:00:00Z',
  event: `MACHINE_PROVISIONING_EVENT_TYPE_${type}`,
  message: 'by the agent',
});

test('metal-core registers, looks, reports, phones home and renews its token', async () => {
  const token = await tokenOf(METAL_CORE);
  for (const id of ['leaf01', 'leaf02'])
    expect(await call('infra.v2.SwitchService/Register', { switch: leaf(id) }, token)).toMatchObject({
      status: 200,
      answer: {
        switch: { id, rack: 'fra-equ01-r01', room: 'room-1', nics: [{ name: 'Ethernet0', state: UP }, {}, {}] },
      },
    });
  expect(await call('infra.v2.SwitchService/Heartbeat', beat(), token)).toMatchObject({
    status: 200,
    answer: { id: 'leaf01', lastSync: { duration: '0.731204s' } },
  });
  const seen = await call('infra.v2.SwitchService/Get', { id: 'leaf01' }, token);
  expect(seen.answer).toMatchObject({
    switch: { nics: [{}, { state: { actual: 'SWITCH_PORT_STATUS_DOWN' } }, { bgpPortState: session }] },
  });
  // What its cycle could not do: no port is looked at then.
  const failed = {
    id: 'leaf01',
    duration: '1.2s',
    error: 'failed to apply switch config',
    portStates: {},
    bgpPortStates: {},
  };
  expect(await call('infra.v2.SwitchService/Heartbeat', failed, token)).toMatchObject({
    status: 200,
    answer: { lastSync: { duration: '0.731204s' }, lastSyncError: { error: 'failed to apply switch config' } },
  });
  // A session that is not up has no name of a neighbour in FRR; sessions of ports that are no ports of machines.
  const waiting = {
    ...session,
    neighbor: 'unknown',
    bgpState: 'BGP_STATE_IDLE',
    bgpTimerUpEstablished: '1970-01-01T00:00:00Z',
  };
  const more = beat({ bgpPortStates: { Ethernet0: waiting, PortChannel01: session } });
  expect(await call('infra.v2.SwitchService/Heartbeat', more, token)).toMatchObject({ status: 200 });
  expect(await call('infra.v2.ComponentService/Ping', ping('METAL_CORE'), token)).toEqual({ status: 200, answer: {} });
  const refreshed = await call('api.v2.TokenService/Refresh', {}, token);
  expect(refreshed.status).toBe(200);
  const again = await call('infra.v2.SwitchService/Get', { id: 'leaf02' }, textOf(refreshed.answer, 'secret'));
  expect(again.status).toBe(200);
  expect((await call('infra.v2.BootService/Boot', { mac: '0c:c4:7a:00:00:01', partition: 'lab' }, token)).status).toBe(
    403,
  );
});

test('pixie, metal-hammer and metal-core bring a machine from its first packet to phoning home', async () => {
  const pixie = await tokenOf(PIXIE);
  // As iPXE and firmware write it.
  const loud = machineA.toUpperCase();
  expect(await call('infra.v2.BootService/Dhcp', { uuid: loud, partition: 'lab' }, pixie)).toEqual({
    status: 200,
    answer: {},
  });
  expect(await call('infra.v2.BootService/Boot', { mac: '0C:C4:7A:00:00:01', partition: 'lab' }, pixie)).toMatchObject({
    status: 200,
    answer: { kernel: 'http://10.0.0.1/vmlinuz', initRamDisks: ['http://10.0.0.1/initrd'], cmdline: 'quiet' },
  });
  const minted = await call(
    'api.v2.TokenService/Create',
    { description: 'hammer', expires: '259200s', ...HAMMER(machineA) },
    pixie,
  );
  const hammer = textOf(minted.answer, 'secret');
  const core = await tokenOf(METAL_CORE);
  for (const id of ['leaf01', 'leaf02']) await call('infra.v2.SwitchService/Register', { switch: leaf(id) }, core);
  expect(await call('infra.v2.BootService/SuperUserPassword', { uuid: machineA }, hammer)).toMatchObject({
    status: 200,
  });
  expect(await call('infra.v2.BootService/Register', registration(machineA), hammer)).toEqual({
    status: 200,
    answer: { uuid: machineA, size: 'unknown', partition: 'lab' },
  });
  const found = await call('admin.v2.MachineService/Get', { uuid: machineA }, rig.adminToken);
  expect(found.answer).toMatchObject({ machine: { rack: 'fra-equ01-r01', room: 'room-1' } });
  for (const type of ['PREPARING', 'REGISTERING', 'WAITING', 'ALIVE', 'INSTALLING', 'BOOTING_NEW_KERNEL']) {
    const events = { [machineA]: event(type) };
    expect(await call('infra.v2.EventService/Send', { events }, hammer)).toMatchObject({ answer: { events: '1' } });
  }
  const batch = { [machineA]: event('PHONED_HOME'), 'no uuid': event('PHONED_HOME') };
  expect(await call('infra.v2.EventService/Send', { events: batch }, core)).toEqual({
    status: 200,
    answer: { events: '1', failed: ['no uuid'] },
  });
  const succeeded = { uuid: machineA, consolePassword: 'very secret' };
  expect(await call('infra.v2.BootService/InstallationSucceeded', succeeded, hammer)).toMatchObject({
    answer: { code: 'failed_precondition' },
  });
});

test('a machine registers without what it may lack', async () => {
  const core = await tokenOf(METAL_CORE);
  for (const id of ['leaf01', 'leaf02']) await call('infra.v2.SwitchService/Register', { switch: leaf(id) }, core);
  const hammer = await tokenOf(HAMMER(machineA));
  const { bmc: _bmc, fru: _fru, tags: _tags, ...bare } = registration(machineA);
  expect(await call('infra.v2.BootService/Register', bare, hammer)).toMatchObject({ status: 200 });
});

test('metal-bmc reports machines that are known and others', async () => {
  const token = await tokenOf(METAL_BMC);
  expect(await call('infra.v2.BMCService/UpdateBMCInfo', report(machineB), token)).toEqual({
    status: 200,
    answer: { createdMachines: [machineB] },
  });
  expect(await call('infra.v2.BMCService/UpdateBMCInfo', report(machineB), token)).toEqual({
    status: 200,
    answer: { updatedMachines: [machineB] },
  });
  expect(await call('infra.v2.ComponentService/Ping', ping('METAL_BMC'), token)).toEqual({ status: 200, answer: {} });
});

describe('what metal-stack’s API server refuses is refused alike', () => {
  const nics = (change: Json): Json =>
    leaf('leaf09', { nics: [{ name: 'Ethernet0', identifier: 'Eth1/1', state: UP, ...change }] });
  const unnamed = { Ethernet120: { ...session, neighbor: '' } };
  const ungrouped = { Ethernet120: { ...session, peerGroup: '' } };
  const PORT_ID_AS_MAC = {
    ...cable('eth0', 'leaf01'),
    neighbors: [{ mac: 'Ethernet0', name: 'Ethernet0', hostname: 'leaf01' }],
  };
  const wired = (nic: Json): Json => registration(machineA, { hardware: { memory: '1', nics: [nic] } });

  test.each<[string, string, Json, string]>([
    [
      'a port without identifier',
      'SwitchService/Register',
      { switch: nics({ identifier: '' }) },
      'switch.nics[0].identifier',
    ],
    ['a port with a short name', 'SwitchService/Register', { switch: nics({ name: 'e' }) }, 'switch.nics[0].name'],
    [
      'a port without state',
      'SwitchService/Register',
      { switch: nics({ state: undefined }) },
      'without state: Ethernet0',
    ],
    ['an empty room', 'SwitchService/Register', { switch: leaf('leaf09', { room: '' }) }, 'switch.room'],
    [
      'no management address',
      'SwitchService/Register',
      { switch: leaf('leaf09', { managementIp: '' }) },
      'switch.management_ip',
    ],
    ['a host name with _', 'SwitchService/Register', { switch: leaf('leaf_09') }, 'switch.id'],
    ['no switch', 'SwitchService/Register', {}, 'switch'],
    ['a session without neighbour', 'SwitchService/Heartbeat', beat({ bgpPortStates: unnamed }), 'neighbor'],
    ['a session without peer group', 'SwitchService/Heartbeat', beat({ bgpPortStates: ungrouped }), 'peer_group'],
    [
      'too few ports',
      'SwitchService/Heartbeat',
      beat({ portStates: { Ethernet0: 'SWITCH_PORT_STATUS_UP' } }),
      'lacks Ethernet4',
    ],
    [
      'a port as a neighbour’s MAC address',
      'BootService/Register',
      wired(PORT_ID_AS_MAC),
      'hardware.nics[0].neighbors[0].mac',
    ],
    [
      'a BMC without port',
      'BootService/Register',
      registration(machineA, { bmc: { address: '10.1.0.7' } }),
      'bmc.address',
    ],
    ['no hardware', 'BootService/Register', registration(machineA, { hardware: undefined }), 'hardware'],
    ['no BIOS', 'BootService/Register', registration(machineA, { bios: undefined }), 'bios'],
    ['no UUID', 'BootService/Dhcp', { uuid: 'x', partition: 'lab' }, 'uuid'],
    [
      'a report without port',
      'BMCService/UpdateBMCInfo',
      report(machineB, { bmc: { address: '10.1.0.8' } }),
      'bmc.address',
    ],
    ['a hasty ping', 'ComponentService/Ping', ping('METAL_CORE', { interval: '4s' }), 'interval'],
    ['a lazy ping', 'ComponentService/Ping', ping('METAL_CORE', { interval: '3601s' }), 'interval'],
    [
      'a start in the future',
      'ComponentService/Ping',
      ping('METAL_CORE', { startedAt: '2999-01-01T00:00:00Z' }),
      'started_at',
    ],
  ])('%s', async (_name, path, body, words) => {
    const core = await tokenOf(METAL_CORE);
    await call('infra.v2.SwitchService/Register', { switch: leaf('leaf01') }, core);
    const { status, answer } = await call(`infra.v2.${path}`, body, rig.adminToken);
    expect({ status, answer }).toMatchObject({ status: 400, answer: { code: 'invalid_argument' } });
    expect(textOf(answer, 'message')).toContain(words);
  });
});
