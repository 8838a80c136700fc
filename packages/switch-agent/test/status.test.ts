import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, Code } from '@ingot/api';
import { createMetrics } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import type { FabricModel } from '../src/fabric-model.ts';
import { createCycleMetrics } from '../src/reconcile/cycle-metrics.ts';
import type { CycleReport } from '../src/reconcile/reconciler.ts';
import { orderActions } from '../src/reconcile/rules.ts';
import { CABLE_STATES, type CableState, checkCabling } from '../src/status/cabling.ts';
import { needsAttention, printStatus } from '../src/status/print-status.ts';
import { parseSwitchStatus, type SwitchStatus } from '../src/status/status.ts';
import { statusCommand } from '../src/status/status-command.ts';
import { serveStatus } from '../src/status/status-server.ts';
import { startUnitAgent } from './unit-kit.ts';

const A = 'aaaaaaaa-0000-4000-8000-00000000000a';
const B = 'bbbbbbbb-0000-4000-8000-00000000000b';
const C = 'cccccccc-0000-4000-8000-00000000000c';
const seen = (port: string, systemName: string) => ({ port, systemName, systemDescription: '', portId: 'lan0' });

test('tells of each cable whether LLDP shows what the API believes', () => {
  const wanted = new Map([
    ['Ethernet0', A],
    ['Ethernet4', B],
    ['Ethernet8', C],
  ]);
  const found = checkCabling(wanted, [
    seen('Ethernet0', A.toUpperCase()),
    seen('Ethernet0', 'a-host-behind-a-bridge'),
    seen('Ethernet4', C),
    seen('Ethernet12', B),
    seen('Ethernet120', 'spine01'),
  ]);
  expect(found).toEqual([
    { port: 'Ethernet0', state: 'right', wanted: A, seen: [A], insteadOn: [] },
    { port: 'Ethernet4', state: 'wrong', wanted: B, seen: [C], insteadOn: ['Ethernet12'] },
    { port: 'Ethernet8', state: 'missing', wanted: C, seen: [], insteadOn: ['Ethernet4'] },
    { port: 'Ethernet12', state: 'new', seen: [B], insteadOn: [] },
  ]);
});

/** A leaf on which something of everything is so. */
async function busyStatus(): Promise<SwitchStatus> {
  const kit = startUnitAgent(({ appDb, links }) => {
    links.set('Ethernet0', 'up');
    appDb
      .set('LLDP_ENTRY_TABLE', 'Ethernet0', { lldp_rem_sys_name: B, lldp_rem_port_id: 'lan0' })
      .set('LLDP_ENTRY_TABLE', 'Ethernet4', { lldp_rem_sys_name: 'evil\u001b[2J', lldp_rem_port_id: 'x' });
  });
  await kit.clock.advance(3000);
  kit.api.desired = {
    nics: [
      { name: 'Ethernet0', vrf: 'vrf7' },
      { name: 'Ethernet4', state: 'down' },
    ],
    connections: [{ nic: 'Ethernet0', machine: A }],
  };
  await kit.clock.advance(61_000);
  expect(await kit.metrics.text()).toContain('ingot_switch_agent_cables{state="wrong"} 1');
  kit.api.failures.set('heartbeat', new ApiError(Code.Unavailable, 'connection refused'));
  await kit.clock.advance(200_000);
  const status = kit.agent.status();
  await kit.agent.stop();
  return status;
}

test('the daemon tells what it did last and how each port is, and it fits on a screen', async () => {
  const status = await busyStatus();
  expect(parseSwitchStatus(JSON.parse(JSON.stringify(status)))).toEqual(JSON.parse(JSON.stringify(status)));
  expect(status.ports[0]).toMatchObject({
    port: 'Ethernet0',
    link: 'up',
    vrf: 'vrf7',
    cable: { state: 'wrong', wanted: A },
  });
  expect(printStatus(status).replace(/runs for \d+ min/, 'runs for N min')).toBe(
    `switch      leaf01, ingot test, runs for N min
registered  4 min ago
heartbeat   3 min ago, every 1 s
compared    not yet, or not at all (see reconfigure)
problems    1
  heartbeat: connection refused

PORT       LINK     ADMIN            VRF   BGP  NEIGHBOUR
Ethernet0  up       -                vrf7  -    ${B} lan0 (wrong: the API has ${A} here)
Ethernet4  unknown  - (wanted down)  -     -    evil\\u{1b}[2J x
`,
  );
  expect(needsAttention(status)).toBe(true);
  const well = { ...status, problems: [], ports: [] };
  expect(needsAttention(well)).toBe(false);
  expect(needsAttention({ ...well, problems: status.problems })).toBe(true);
  expect(needsAttention({ ...well, ports: status.ports })).toBe(true);
  const cycle = { endedAtMs: 0, durationMs: 1, drift: 0 };
  for (const [result, looks] of [
    ['converged', false],
    ['changed', false],
    ['observed', false],
    ['failed', true],
  ] as const)
    expect(needsAttention({ ...well, cycle: { ...cycle, result } })).toBe(looks);
  const ports = (state: CableState) =>
    status.ports.map((port) => ({ ...port, cable: { state, wanted: A, seen: [], insteadOn: [] } }));
  // A machine that is off is missing, and one that has not registered yet is new.
  for (const state of CABLE_STATES) expect(needsAttention({ ...well, ports: ports(state) })).toBe(state === 'wrong');
});

const MODEL: FabricModel = {
  hostname: 'leaf01',
  asn: 4200000011,
  loopback: '10.0.0.11',
  setSourceLoopback: false,
  logLevel: 'info',
  managementRoutes: [],
  uplinks: [],
  unprovisioned: [],
  firewalls: [],
  vrfs: [],
};

test('a cycle that changes nothing has converged; one with any problem has failed, and the time of success stays', async () => {
  const change = { table: 'VRF', key: 'Vrf7', before: undefined, after: {} } as const;
  const actions = orderActions([{ step: 'create', subject: 'Vrf7', changes: [change] }]);
  const problem = { subject: 'Vrf7', reason: 'its VNI is taken' };
  const plan = { actions: [], problems: [], model: MODEL };
  const outcome = { done: [], skipped: [], problems: [] };
  const reports: ReadonlyArray<readonly [string, Omit<CycleReport, 'admin'> | undefined]> = [
    ['observed', { plan: { ...plan, actions } }],
    ['changed', { plan: { ...plan, actions }, outcome }],
    ['converged', { plan, outcome }],
    ['failed', { plan: { ...plan, problems: [problem] }, outcome }],
    ['failed', { plan, outcome: { ...outcome, problems: [problem] } }],
    ['failed', { plan: { ...plan, problems: [problem] } }],
    // Nobody knows yet what is wanted: that is no cycle.
    ['failed', undefined],
  ];
  let at = -1;
  const kit = startUnitAgent(() => ({
    reconcile: {
      periodMs: 60_000,
      cycleMs: 5000,
      reconciler: {
        forget: () => {},
        cycle: () => {
          const report = reports[at]?.[1];
          return Promise.resolve(report && { ...report, admin: new Map() });
        },
      },
    },
  }));
  await kit.clock.advance(10_000);
  expect(kit.agent.status().cycle).toBeUndefined();
  const found: unknown[] = [];
  const succeeded: unknown[] = [];
  for (at = 0; at < reports.length; at += 1) {
    await kit.clock.advance(60_000);
    const { cycle } = kit.agent.status();
    found.push(cycle?.result);
    succeeded.push(cycle?.succeededAtMs === cycle?.endedAtMs);
  }
  expect(found).toEqual(reports.map(([result]) => result));
  expect(succeeded).toEqual([true, true, true, false, false, false, false]);
  expect(printStatus(kit.agent.status())).toMatch(
    /^compared {4}failed .*, 0 rows differed, last success \d+ min ago$/m,
  );
  await kit.agent.stop();
});

test('a cycle is counted by what came of it, and by the tables that it wrote', async () => {
  const metrics = createMetrics();
  const clock = new MockClock();
  const count = createCycleMetrics(metrics, clock);
  const change = (table: 'VRF' | 'VLAN') => ({ table, key: 'x', before: undefined, after: {} });
  const done = orderActions([
    { step: 'create', subject: 'Vrf7', changes: [change('VRF'), change('VLAN')] },
    { step: 'create', subject: 'Vrf8', changes: [change('VLAN')] },
  ]);
  const admin = new Map([
    ['Ethernet0', 'up'],
    ['Ethernet4', 'down'],
  ] as const);
  const report = {
    plan: { actions: done, problems: [], model: MODEL },
    admin,
    outcome: { done, skipped: [], problems: [] },
  };
  count({ report, durationMs: 700, result: 'changed', drift: 3 });
  await clock.advance(10_000);
  count({ report: undefined, durationMs: 5000, result: 'failed', drift: 0 });
  const text = await metrics.text();
  for (const line of [
    'cycles_total{result="changed"} 1',
    'cycles_total{result="failed"} 1',
    'cycle_seconds_sum 5.7',
    'rows_written_total{table="VRF"} 1',
    'rows_written_total{table="VLAN"} 2',
    'ports_admin{state="up"} 1',
    'port_admin_up{port="Ethernet0"} 1',
    'port_admin_up{port="Ethernet4"} 0',
    'drift_rows 3',
    `last_success_timestamp_seconds ${Date.UTC(2026, 0, 1) / 1000}`,
  ]) {
    expect(text).toContain(`ingot_switch_agent_${line}\n`);
  }
  count({ report: { ...report, admin: new Map() }, durationMs: 1, result: 'converged', drift: 0 });
  expect(await metrics.text()).not.toContain('port="Ethernet');
});

test('the command asks over the socket, and says what to do when nobody answers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-status-'));
  const socket = join(folder, 'run', 'status.sock');
  const status = await busyStatus();
  const run = async (...args: readonly string[]): Promise<readonly [number, string, string]> => {
    let out = '';
    let err = '';
    const code = await statusCommand(['--socket', socket, ...args], {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      env: {},
      signal: new AbortController().signal,
    });
    return [code, out, err];
  };
  const warnings: string[] = [];
  const serve = () =>
    serveStatus(
      socket,
      () => status,
      (reason) => warnings.push(reason),
    );
  try {
    expect((await run())[2]).toContain('the daemon does not run');
    const server = await serve();
    expect((await stat(socket)).mode & 0o777).toBe(0o660);
    expect(await run()).toEqual([1, printStatus(status), '']);
    const [code, json] = await run('--json');
    expect([code, parseSwitchStatus(JSON.parse(json)).id]).toEqual([1, 'leaf01']);
    await (await serve()).stop();
    expect(warnings).toEqual([expect.stringContaining('another agent serves it')]);
    expect((await run())[0]).toBe(1);
    await server.stop();
    expect((await run())[0]).toBe(2);

    // What a daemon that was killed has left behind:
    await writeFile(socket, '');
    const again = await serve();
    expect((await run())[0]).toBe(1);
    await again.stop();

    const other = createServer((connection) => connection.end('{"version":2}\n')).listen(socket);
    expect((await run())[2]).toMatch(/is not understood .* restart it/s);
    await new Promise((resolve) => other.close(resolve));
    expect((await run('--jsn'))[2]).toContain('--jsn');
  } finally {
    await rm(folder, { recursive: true });
  }
});
