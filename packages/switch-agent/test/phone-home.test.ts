import { ApiError, Code } from '@ingot/api';
import { expect, test } from 'vitest';
import { homeCalls } from '../src/phone-home/calls-home.ts';
import { readLldpNeighbors } from '../src/phone-home/lldp-neighbors.ts';
import { MemoryDb, startUnitAgent } from './unit-kit.ts';

const A = 'aaaaaaaa-0000-4000-8000-00000000000a';
const B = 'bbbbbbbb-0000-4000-8000-00000000000b';
const lldp = (name: string, description = 'provisioned since today') => ({
  lldp_rem_sys_name: name,
  lldp_rem_sys_desc: description,
  lldp_rem_port_id: 'lan0',
});
const TABLE = 'LLDP_ENTRY_TABLE';

test("rows are read by port, also Broadcom's with the chassis in the key, and what is missing is empty", async () => {
  const db = new MemoryDb()
    .set(TABLE, 'Ethernet10', lldp(A))
    .set(TABLE, 'Ethernet2:52:54:00:00:00:01', lldp(B))
    .set(TABLE, 'Ethernet4', { lldp_rem_time_mark: '1' })
    .set(TABLE, ':52:54:00:00:00:02', lldp(B));
  const neighbors = await readLldpNeighbors(db);
  expect(neighbors.map(({ port, systemName, portId }) => [port, systemName, portId])).toEqual([
    ['Ethernet2', B, 'lan0'],
    ['Ethernet4', '', ''],
    ['Ethernet10', A, 'lan0'],
  ]);
});

test('only installed machines with a UUID and a link call home, and none in the name of another', () => {
  const neighbor = (port: string, systemName: string, systemDescription = 'provisioned') => ({
    port,
    systemName,
    systemDescription,
    portId: 'lan0',
  });
  const neighbors = [
    neighbor('Ethernet0', A.toUpperCase()),
    neighbor('Ethernet4', A, 'provisioned later'),
    neighbor('Ethernet8', 'spine01'),
    neighbor('Ethernet12', B, 'metal-hammer'),
    neighbor('Ethernet16', B),
    neighbor('Ethernet20', B),
    neighbor('Ethernet24', `${B}\n`, `provisioned${'\ud800'.repeat(400)}`),
  ];
  const found = homeCalls(
    neighbors,
    (port) => (port === 'Ethernet16' ? 'down' : 'unknown'),
    new Map([
      ['Ethernet0', A],
      ['Ethernet20', A],
    ]),
  );
  expect(found.calls).toEqual([
    { machine: A, message: 'provisioned later' },
    { machine: B, message: `provisioned${'\ufffd'.repeat(244)}` },
  ]);
  expect(found.refused).toEqual([`Ethernet20 says it is machine ${B}, but the API knows ${A} there`]);
});

test('calls once a minute, follows ports as they come and go', async () => {
  const kit = startUnitAgent(({ appDb }) => {
    appDb.set(TABLE, 'Ethernet0', lldp(A));
  });
  await kit.clock.advance(1000);
  kit.appDb.set(TABLE, 'Ethernet99', lldp(B));
  await kit.clock.advance(60_000);
  kit.appDb.tables.get(TABLE)?.delete('Ethernet0');
  await kit.clock.advance(60_000);
  const start = Date.UTC(2026, 0, 1);
  expect(kit.api.homeCalls.map((calls) => calls.map(({ machine, seenMs }) => [machine, seenMs - start]))).toEqual([
    [[A, 0]],
    [
      [A, 60_000],
      [B, 60_000],
    ],
    [[B, 120_000]],
  ]);
  expect(await kit.metrics.text()).toContain('ingot_switch_agent_phone_homes_total 4');
  await kit.agent.stop();
});

test('a call that could not be sent is sent again soon, with the time of its last sight, also when the row is gone', async () => {
  const kit = startUnitAgent(({ api, appDb }) => {
    appDb.set(TABLE, 'Ethernet0', lldp(A)).set(TABLE, 'Ethernet4', lldp(B));
    api.failures.set('phonedHome', new ApiError(Code.Unavailable, 'connection refused'));
  });
  await kit.clock.advance(1000);
  kit.appDb.tables.get(TABLE)?.delete('Ethernet0');
  await kit.clock.advance(10_000);
  kit.api.failures.clear();
  await kit.clock.advance(10_000);
  const start = Date.UTC(2026, 0, 1);
  expect(kit.api.homeCalls.map((calls) => calls.map(({ machine, seenMs }) => [machine, seenMs - start]))).toEqual([
    [
      [A, 0],
      [B, 15_000],
    ],
  ]);
  expect(kit.api.beats.every(({ error }) => error?.includes('phone-home') !== true)).toBe(true);
  expect(kit.log.records).toContainEqual(expect.objectContaining({ msg: 'phone-home: works again' }));
  await kit.agent.stop();
});

test('what waits for an API that is away is bounded; the machines that were silent for longest go first', async () => {
  const kit = startUnitAgent(({ api }) => {
    api.failures.set('phonedHome', new ApiError(Code.Unavailable, 'connection refused'));
  });
  const uuid = (n: number): string => `cccccccc-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
  for (let round = 0; round < 30; round += 1) {
    const rows = Array.from({ length: 100 }, (_, i) => [`Ethernet${i}`, lldp(uuid(round * 100 + i))] as const);
    kit.appDb.tables.set(TABLE, new Map(rows));
    await kit.clock.advance(60_000);
  }
  kit.api.failures.clear();
  await kit.clock.advance(60_000);
  expect(kit.api.homeCalls[0]).toHaveLength(1024);
  expect(kit.api.homeCalls[0]?.at(-1)?.machine).toBe(uuid(2999));
  await kit.agent.stop();
});

test('an APPL_DB that does not answer is said, and stops nothing', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.appDb.failure = new Error('APPL_DB does not answer');
  await kit.clock.advance(60_000);
  expect(kit.api.beats.at(-1)?.error).toBe('lldp: APPL_DB does not answer');
  kit.appDb.failure = undefined;
  await kit.clock.advance(61_000);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('a machine that calls in the name of another is said with its port', async () => {
  const kit = startUnitAgent(({ appDb }) => {
    appDb.set(TABLE, 'Ethernet0', lldp(B));
  });
  await kit.clock.advance(2000);
  kit.api.desired = { nics: [{ name: 'Ethernet0' }], connections: [{ nic: 'Ethernet0', machine: A }] };
  kit.api.homeCalls.length = 0;
  await kit.clock.advance(62_000);
  expect(kit.api.homeCalls).toEqual([]);
  expect(kit.api.beats.at(-1)?.error).toMatch(/^phone-home-cabling: Ethernet0 says it is machine b.*knows a/);
  await kit.agent.stop();
});
