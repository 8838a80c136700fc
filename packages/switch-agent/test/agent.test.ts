import { ApiError, Code } from '@ingot/api';
import { expect, test } from 'vitest';
import { startUnitAgent } from './unit-kit.ts';

const unreachable = new ApiError(Code.Unavailable, 'connection refused');
const unknownSwitch = new ApiError(Code.NotFound, 'no switch leaf01');

test('registers every port with its state, and sends heartbeats with all nics of the API', async () => {
  const kit = startUnitAgent(({ links }) => {
    links.set('Ethernet0', 'up');
  });
  await kit.clock.advance(3000);
  expect(kit.api.registrations).toEqual([
    expect.objectContaining({
      id: 'leaf01',
      ports: [
        { port: 'Ethernet0', nicName: 'Ethernet0', identifier: 'Eth1/1', state: 'up' },
        { port: 'Ethernet4', nicName: 'Ethernet4', identifier: 'Eth1/2', state: 'unknown' },
      ],
    }),
  ]);
  const beat = kit.api.beats.at(-1);
  expect([...(beat?.portStates ?? [])]).toEqual([
    ['Ethernet0', 'up'],
    ['Ethernet4', 'unknown'],
  ]);
  expect(beat?.error).toBeUndefined();
  expect((await kit.health.readiness()).ready).toBe(true);
  await kit.agent.stop();
  expect(kit.clock.pendingTimers).toBe(0);
});

test('a nic that only the API has is reported as unknown rather than left out', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.api.desired = { nics: [{ name: 'Ethernet0' }, { name: 'Ethernet99', vrf: 'vrf7', state: 'down' }] };
  await kit.clock.advance(3000);
  expect([...(kit.api.beats.at(-1)?.portStates ?? [])]).toEqual([
    ['Ethernet0', 'unknown'],
    ['Ethernet99', 'unknown'],
  ]);
  expect(kit.agent.desired).toEqual(kit.api.desired);
  expect(kit.log.records).toContainEqual(
    expect.objectContaining({
      msg: 'the desired state has changed',
      fields: expect.objectContaining({ wanted: { Ethernet99: 'vrf7 down' } }),
    }),
  );
  await kit.agent.stop();
});

test('port states follow the link, under the names of the naming schema', async () => {
  const kit = startUnitAgent(({ links }) => {
    links.set('Ethernet0', 'up');
    return { namingSchema: 'swap' };
  });
  await kit.clock.advance(2000);
  expect(kit.api.beats.at(-1)?.portStates.get('Eth1/1')).toBe('up');
  kit.links.set('Ethernet0', 'down');
  await kit.clock.advance(2000);
  expect(kit.api.beats.at(-1)?.portStates.get('Eth1/1')).toBe('down');
  await kit.agent.stop();
});

test('registration is tried for as long as it takes, ever more slowly, and said', async () => {
  const kit = startUnitAgent(({ api }) => {
    for (const call of ['register', 'get', 'heartbeat', 'ping'] as const) api.failures.set(call, unreachable);
  });
  await kit.clock.advance(120_000);
  const retries = kit.log.records.filter(({ msg }) => msg === 'registering the switch again later');
  expect(retries.length).toBeGreaterThan(5);
  expect(retries.length).toBeLessThan(20);
  expect(kit.log.records.filter(({ msg }) => msg === 'register: connection refused')).toHaveLength(1);
  expect((await kit.health.readiness()).ready).toBe(false);
  kit.api.failures.clear();
  await kit.clock.advance(60_000);
  expect(kit.api.registrations).toHaveLength(1);
  expect(kit.api.pings).toHaveLength(1);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  expect(kit.log.records).toContainEqual(expect.objectContaining({ msg: 'register: works again' }));
  await kit.agent.stop();
});

test('heartbeats go on and say so when CONFIG_DB fails, with the states of the ports last known', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.configDb.failure = new Error('CONFIG_DB does not answer');
  const before = kit.api.beats.length;
  await kit.clock.advance(5000);
  expect(kit.api.beats.length).toBeGreaterThanOrEqual(before + 4);
  expect(kit.api.beats.at(-1)?.error).toBe('config-db: CONFIG_DB does not answer');
  expect(kit.api.beats.at(-1)?.portStates.size).toBe(2);
  kit.configDb.failure = undefined;
  await kit.clock.advance(2000);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('heartbeats go on when fetching the desired state fails, and tell why', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.api.failures.set('get', new ApiError(Code.PermissionDenied, 'this token may not read switches'));
  await kit.clock.advance(3000);
  expect(kit.api.beats.at(-1)?.error).toBe('get: this token may not read switches');
  await kit.agent.stop();
});

test('a switch that the API has forgotten is registered again, and that is said, but not before it ever was', async () => {
  const said = (): readonly string[] =>
    kit.log.records.map(({ msg }) => msg).filter((msg) => msg.includes('no switch leaf01'));
  const kit = startUnitAgent(({ api }) => {
    api.failures.set('get', unknownSwitch);
    api.failures.set('heartbeat', unknownSwitch);
    api.failures.set('register', unreachable);
  });
  await kit.clock.advance(3000);
  expect(said()).toEqual([]);
  kit.api.failures.clear();
  await kit.clock.advance(30_000);
  const registered = kit.api.registrations.length;
  kit.api.failures.set('heartbeat', unknownSwitch);
  await kit.clock.advance(1000);
  expect(said()).toEqual(['heartbeat: no switch leaf01']);
  kit.api.failures.clear();
  await kit.clock.advance(2000);
  expect(kit.api.registrations.length).toBeGreaterThan(registered);
  // A heartbeat that arrives is proof that it was.
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('an API that cannot be asked what it wants is no problem of the switch, for its heartbeats', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.api.failures.set('get', unreachable);
  await kit.clock.advance(3000);
  expect(kit.agent.status().problems).toEqual([{ topic: 'get', reason: 'connection refused' }]);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('heartbeats tell the BGP session of each port, under the names of the naming schema', async () => {
  const neighbor = {
    key: 'Ethernet4',
    vrf: 'Vrf7',
    neighbor: 'machine-1',
    peerGroup: 'MACHINE',
    state: 'established',
    establishedAtMs: 1,
    sentPrefixes: 2,
    acceptedPrefixes: 3,
  } as const;
  const kit = startUnitAgent(() => ({
    namingSchema: 'swap',
    bgp: { read: () => Promise.resolve({ ok: true, neighbors: [neighbor] }), tellApi: true },
  }));
  await kit.clock.advance(3000);
  expect([...(kit.api.beats.at(-1)?.bgpStates ?? [])]).toEqual([['Eth1/2', neighbor]]);
  await kit.agent.stop();
});

test('a new port and a changed alias each register the switch again', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.configDb.set('PORT', 'Ethernet8', { alias: 'Eth1/3' });
  await kit.clock.advance(2000);
  kit.configDb.set('PORT', 'Ethernet0', { alias: 'etp1' });
  await kit.clock.advance(2000);
  expect(kit.api.registrations.map(({ ports }) => ports.map(({ identifier }) => identifier))).toEqual([
    ['Eth1/1', 'Eth1/2'],
    ['Eth1/1', 'Eth1/2', 'Eth1/3'],
    ['etp1', 'Eth1/2', 'Eth1/3'],
  ]);
  await kit.agent.stop();
});

test('a config reload, which empties CONFIG_DB for a moment, un-registers nothing', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  const full = kit.configDb.tables.get('PORT') ?? new Map();
  kit.configDb.tables.set('PORT', new Map());
  await kit.clock.advance(3000);
  expect(kit.api.beats.at(-1)?.error).toContain('CONFIG_DB has no PORT rows');
  kit.configDb.tables.set('PORT', new Map([...full].slice(0, 1)));
  await kit.clock.advance(1000);
  kit.configDb.tables.set('PORT', full);
  await kit.clock.advance(3000);
  expect(kit.api.registrations).toHaveLength(1);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('a port that stays away is un-registered', async () => {
  const kit = startUnitAgent();
  await kit.clock.advance(2000);
  kit.configDb.tables.get('PORT')?.delete('Ethernet4');
  await kit.clock.advance(4000);
  expect(kit.api.registrations.at(-1)?.ports.map(({ port }) => port)).toEqual(['Ethernet0']);
  await kit.agent.stop();
});

test('waits for SONiC to initialise its ports, says so without filling the log, and tells the API meanwhile', async () => {
  const kit = startUnitAgent(({ appDb }) => {
    appDb.tables.clear();
  });
  await kit.clock.advance(300_000);
  expect(kit.api.registrations).toEqual([]);
  expect(kit.appDb.questions).toBeGreaterThan(250);
  expect(kit.appDb.questions).toBeLessThan(320);
  const said = kit.log.records.filter(({ msg }) => /initialis/.test(msg));
  expect(said.length).toBeGreaterThanOrEqual(4);
  expect(said.length).toBeLessThanOrEqual(7);
  expect(kit.api.beats.at(-1)?.error).toContain('APPL_DB has no PORT_TABLE:PortInitDone');
  kit.appDb.set('PORT_TABLE', 'PortInitDone', { lanes: '0' });
  await kit.clock.advance(3000);
  expect(kit.api.registrations).toHaveLength(1);
  await kit.agent.stop();
});

test('pings as METAL_CORE at once and every five minutes', async () => {
  const kit = startUnitAgent(() => ({ periodMs: 60_000 }));
  await kit.clock.advance(11 * 60_000);
  expect(kit.api.pings).toHaveLength(3);
  expect(kit.api.pings[0]).toMatchObject({ id: 'leaf01', intervalMs: 300_000, startedAtMs: Date.UTC(2026, 0, 1) });
  await kit.agent.stop();
});

test('counts heartbeats, failures and port states', async () => {
  const kit = startUnitAgent(({ links }) => {
    links.set('Ethernet0', 'up');
  });
  await kit.clock.advance(3000);
  kit.api.failures.set('heartbeat', unreachable);
  await kit.clock.advance(2000);
  await kit.agent.stop();
  const text = await kit.metrics.text();
  expect(text).toMatch(/ingot_switch_agent_heartbeats_total [3-5]\n/);
  expect(text).toMatch(/ingot_switch_agent_failures_total\{call="heartbeat"\} [1-3]\n/);
  expect(text).toContain('ingot_switch_agent_ports{state="up"} 1');
  expect(text).toContain('ingot_switch_agent_ports{state="unknown"} 1');
  expect(text).toContain('ingot_switch_agent_port_up{port="Ethernet0"} 1');
  expect(text).not.toContain('port="Ethernet4"');
});

test('an FRR that hangs stops no heartbeat; the cycle is aborted, and it is said', async () => {
  let aborted = 0;
  const cycles: string[] = [];
  const kit = startUnitAgent(({ links }) => {
    links.set('Ethernet0', 'up');
    return {
      reconcile: {
        periodMs: 1000,
        cycleMs: 5000,
        reconciler: {
          forget: () => {},
          cycle: (_desired, portOf, signal) => {
            cycles.push(portOf('Ethernet0') ?? 'none');
            return new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborted += 1;
                reject(signal.reason);
              });
            });
          },
        },
      },
    };
  });
  await kit.clock.advance(6000);
  expect(cycles[0]).toBe('Ethernet0');
  expect(aborted).toBe(1);
  expect(kit.api.beats.length).toBeGreaterThanOrEqual(5);
  expect(kit.api.beats.at(-1)?.error).toBe('reconcile: the cycle was not over after 5 s');
  expect([...(kit.api.beats.at(-1)?.portStates ?? [])]).toEqual([
    ['Ethernet0', 'up'],
    ['Ethernet4', 'unknown'],
  ]);
  expect(await kit.metrics.text()).toContain('ingot_switch_agent_cycles_total{result="failed"} 1');
  await kit.agent.stop();
  expect(kit.clock.pendingTimers).toBe(0);
});

test('a cycle follows at once when the API wants something else, and never two at a time', async () => {
  const seen: unknown[] = [];
  let running = 0;
  const kit = startUnitAgent(({ clock }) => ({
    reconcile: {
      periodMs: 60_000,
      cycleMs: 5000,
      reconciler: {
        forget: () => {},
        cycle: async (desired) => {
          running += 1;
          expect(running).toBe(1);
          seen.push(desired?.nics.map(({ vrf }) => vrf));
          await clock.sleep(300);
          running -= 1;
          return undefined;
        },
      },
    },
  }));
  await kit.clock.advance(3000);
  kit.api.desired = { nics: [{ name: 'Ethernet0', vrf: 'vrf7' }] };
  await kit.clock.advance(3000);
  expect(seen.at(-1)).toEqual(['vrf7']);
  expect(seen.length).toBeLessThan(6);
  await kit.agent.stop();
});

test('what the API wants while a cycle is under way has its own as soon as that is over', async () => {
  const seen: unknown[] = [];
  const kit = startUnitAgent(({ clock }) => ({
    reconcile: {
      periodMs: 600_000,
      cycleMs: 60_000,
      reconciler: {
        forget: () => {},
        cycle: async (desired) => {
          seen.push(desired?.nics[0]?.vrf);
          await clock.sleep(20_000);
          return undefined;
        },
      },
    },
  }));
  // Whatever the start has woken is over.
  await kit.clock.advance(100_000);
  const before = seen.length;
  kit.api.desired = { nics: [{ name: 'Ethernet0', vrf: 'vrf7' }] };
  await kit.clock.advance(5000);
  kit.api.desired = { nics: [{ name: 'Ethernet0', vrf: 'vrf8' }] };
  await kit.clock.advance(5000);
  expect(seen.slice(before)).toEqual(['vrf7']);
  await kit.clock.advance(15_000);
  expect(seen.slice(before)).toEqual(['vrf7', 'vrf8']);
  await kit.clock.advance(20_000);
  await kit.agent.stop();
});

test('a port that is left out is not registered', async () => {
  const kit = startUnitAgent(() => ({ leaveOut: ['Ethernet4'] }));
  await kit.clock.advance(2000);
  expect(kit.api.registrations.at(-1)?.ports.map(({ port }) => port)).toEqual(['Ethernet0']);
  await kit.agent.stop();
});

test('cycles that fail stop no heartbeat, and its port states follow the links meanwhile', async () => {
  const kit = startUnitAgent(() => ({
    reconcile: {
      periodMs: 1000,
      cycleMs: 5000,
      reconciler: { forget: () => {}, cycle: () => Promise.reject(new Error('Ethernet0 stays in its VLAN')) },
    },
  }));
  await kit.clock.advance(3000);
  kit.links.set('Ethernet4', 'up');
  await kit.clock.advance(2000);
  expect(kit.api.beats.at(-1)?.error).toBe('reconcile: Ethernet0 stays in its VLAN');
  expect([...(kit.api.beats.at(-1)?.portStates ?? [])]).toEqual([
    ['Ethernet0', 'unknown'],
    ['Ethernet4', 'up'],
  ]);
  expect(kit.agent.status().cycle).toMatchObject({ result: 'failed', succeededAtMs: undefined });
  await kit.agent.stop();
});
