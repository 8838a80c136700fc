import type { Clock } from '@ingot/net';
import type { DesiredSwitch } from '../../src/api.ts';
import { execute, type Executor, type Outcome } from '../../src/reconcile/execute.ts';
import { observeConfig } from '../../src/reconcile/observe.ts';
import { type Plan, planCycle } from '../../src/reconcile/plan.ts';
import { type Rule, RULES } from '../../src/reconcile/rules.ts';
import { type LeafConfig, wishesOf } from '../../src/reconcile/wishes.ts';
import { CONFIG_DB, connectTo, startRedis, type TestRedis } from '../redis-server.ts';
import { StandInFrr } from './frr.ts';
import {
  executorOf,
  foreignRows,
  freshConfig,
  LEAF,
  type LeafDatabases,
  machinePorts,
  openDatabases,
  PXE_VLAN,
  randomDesired,
  UPLINKS,
} from './leaf.ts';
import { Swss } from './swss.ts';

/** A leaf with a real Redis, and stand-ins for swss, syncd and FRR. */
export interface TestLeaf extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly swss: Swss;
  readonly frr: StandInFrr;
  readonly databases: LeafDatabases;
  readonly machines: readonly string[];
  /** One cycle, with what it planned and did. */
  cycle(desired: DesiredSwitch, rules?: readonly Rule[]): Promise<Cycle>;
  /** Every row of CONFIG_DB by its key. */
  rows(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>;
  /** Throws when a stand-in has crashed. */
  check(): Promise<void>;
}

export interface Cycle {
  readonly plan: Plan;
  readonly outcome: Outcome;
}

/** Looks, plans and does, as the reconciler does it, for names that are those of the ports. */
export async function cycleOnce(
  executor: Executor,
  leaf: LeafConfig,
  desired: DesiredSwitch,
  rules: readonly Rule[] = RULES,
): Promise<Cycle> {
  const config = await observeConfig(executor.configDb);
  const wishes = wishesOf({ desired, leaf, portOf: (name) => name, stickyAdmin: new Map() });
  const plan = planCycle({ config, wishes, leaf, hostname: 'leaf01', logLevel: 'info' }, rules);
  return { plan, outcome: await execute(plan, executor, AbortSignal.timeout(30_000)) };
}

export interface TestLeafOptions {
  readonly machines?: number;
  readonly random: () => number;
  readonly longestDelayMs?: number;
  readonly waitMs?: number;
  /** By which Redis has five seconds for an answer. Default: the real one. */
  readonly clock?: Clock;
  /** One that is used again, and outlives the leaf. Default: one of its own. */
  readonly redis?: TestRedis;
  /** What CONFIG_DB holds when SONiC starts, as Redis takes it. Default: nothing of the agent's. */
  readonly config?: ReadonlyArray<readonly string[]>;
}

/** A small generator (mulberry32): the same seed gives the same run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function startLeaf(options: TestLeafOptions): Promise<TestLeaf> {
  const { random, longestDelayMs = 2, waitMs } = options;
  const machines = machinePorts(options.machines ?? 8);
  const redis = options.redis ?? (await startRedis());
  await redis.run(CONFIG_DB, [['FLUSHALL']]);
  await redis.run(CONFIG_DB, options.config ?? freshConfig(machines));
  const swss = await Swss.start({
    socketPath: redis.socketPath,
    ports: [...machines, ...UPLINKS, 'Ethernet60', 'Ethernet64'],
    random,
    longestDelayMs,
  });
  const frr = new StandInFrr(redis.socketPath);
  const databases = openDatabases(redis.databases, undefined, options.clock);
  const reader = await connectTo(redis.socketPath, CONFIG_DB);
  const executor = executorOf(databases, frr, waitMs);
  return {
    redis,
    swss,
    frr,
    databases,
    machines,
    cycle: (desired, rules) => cycleOnce(executor, LEAF, desired, rules),
    rows: async () => {
      const keys: string[] = [];
      for await (const page of reader.scanIterator({ COUNT: 1000 })) keys.push(...page);
      const rows = await Promise.all(
        keys.filter((key) => key.includes('|')).map(async (key) => [key, { ...(await reader.hGetAll(key)) }] as const),
      );
      return new Map(rows);
    },
    check: async () => {
      const reason = swss.crash ?? (await frr.refused());
      if (reason !== undefined) throw new Error(`crashed: ${reason}`);
    },
    [Symbol.asyncDispose]: async () => {
      reader.destroy();
      databases[Symbol.dispose]();
      frr.close();
      await swss[Symbol.asyncDispose]();
      if (options.redis === undefined) await redis[Symbol.asyncDispose]();
    },
  };
}

/** What is wrong with CONFIG_DB after the switch has converged; empty when all is as wanted. Knows nothing of plans. */
export function differences(
  rows: ReadonlyMap<string, Readonly<Record<string, string>>>,
  desired: DesiredSwitch,
): readonly string[] {
  const wrong: string[] = [];
  const expectRow = (key: string, fields: Readonly<Record<string, string>> | undefined): void => {
    const row = rows.get(key);
    const isRight =
      fields === undefined
        ? row === undefined
        : row !== undefined && Object.entries(fields).every(([f, v]) => row[f] === v);
    if (!isRight) wrong.push(`${key} is ${JSON.stringify(row)}, not ${JSON.stringify(fields)}`);
  };
  const vnis = new Set<string>();
  for (const uplink of UPLINKS) expectRow(`INTERFACE|${uplink}`, { ipv6_use_link_local_only: 'enable' });
  for (const { name, vrf } of desired.nics) {
    const member = `VLAN_MEMBER|Vlan${PXE_VLAN}|${name}`;
    expectRow(member, vrf === undefined ? { tagging_mode: 'untagged' } : undefined);
    expectRow(`PORT|${name}`, { mtu: vrf === 'default' ? '9216' : '9000' });
    if (vrf === undefined) {
      expectRow(`INTERFACE|${name}`, undefined);
      continue;
    }
    const tenant = vrf === 'default' ? undefined : `Vrf${vrf.slice(3)}`;
    expectRow(`INTERFACE|${name}`, {
      ipv6_use_link_local_only: 'enable',
      ...(tenant === undefined ? {} : { vrf_name: tenant }),
    });
    if (tenant === undefined && rows.get(`INTERFACE|${name}`)?.['vrf_name'] !== undefined)
      wrong.push(`${name} has a VRF`);
    if (tenant !== undefined) vnis.add(vrf.slice(3));
  }
  const vlans = new Map<string, string>();
  for (const key of rows.keys()) {
    const mapped = /^VXLAN_TUNNEL_MAP\|vtep\|map_(\d+)_Vlan(\d+)$/.exec(key);
    if (mapped !== null && Number(mapped[2]) > 1000) vlans.set(mapped[1] ?? '', `Vlan${mapped[2]}`);
    const vrf = /^VRF\|Vrf(1\d\d)$/.exec(key)?.[1];
    if (vrf !== undefined && !vnis.has(vrf)) wrong.push(`${key} is leaked`);
    const vlan = /^(?:VLAN|VLAN_INTERFACE|SUPPRESS_VLAN_NEIGH)\|(Vlan1\d\d\d)$/.exec(key)?.[1];
    if (vlan !== undefined && vlan !== 'Vlan1003') {
      const isMapped = [...vnis].some((vni) => rows.has(`VXLAN_TUNNEL_MAP|vtep|map_${vni}_${vlan}`));
      if (!isMapped) wrong.push(`${key} is leaked`);
    }
  }
  for (const vni of vnis) {
    const vlan = vlans.get(vni) ?? 'none';
    expectRow(`VRF|Vrf${vni}`, { vni, fallback: 'false' });
    expectRow(`VLAN|${vlan}`, { vlanid: vlan.slice(4) });
    expectRow(`SUPPRESS_VLAN_NEIGH|${vlan}`, { suppress: 'on' });
    expectRow(`VLAN_INTERFACE|${vlan}`, { vrf_name: `Vrf${vni}` });
  }
  if (vlans.size !== vnis.size) wrong.push(`${vlans.size} tunnel maps for ${vnis.size} VRFs`);
  for (const [, key = '', ...fields] of foreignRows()) {
    const expected: Record<string, string> = {};
    for (let at = 0; at < fields.length; at += 2) expected[fields[at] ?? ''] = fields[at + 1] ?? '';
    if (JSON.stringify(rows.get(key)) !== JSON.stringify(expected)) wrong.push(`the foreign ${key} was touched`);
  }
  return wrong;
}

export interface Run {
  readonly transitions: number;
  readonly cycles: number;
  readonly actions: number;
}

/** Follows the keyspace, and knows the ports of which nobody has wanted anything else since they were last looked at. */
async function watchSteady(leaf: TestLeaf) {
  const events = await connectTo(leaf.redis.socketPath, CONFIG_DB);
  const touched = new Set<string>();
  await events.pSubscribe(`__keyspace@${CONFIG_DB}__:*`, (_event, channel) => touched.add(channel));
  let wishes = new Map<string, string>();
  let steady = new Set<string>();
  return {
    want: ({ nics }: DesiredSwitch): void => {
      const fresh = new Map(nics.map((nic) => [nic.name, JSON.stringify(nic)]));
      steady = new Set([...steady].filter((name) => wishes.get(name) === fresh.get(name)));
      wishes = fresh;
    },
    /** The rows of steady ports that were written; from here on all ports are steady. */
    touched: async (): Promise<readonly string[]> => {
      // Answered behind all events so far.
      await events.ping();
      const found = [...touched].filter(
        (key) => /[:|](?:PORT|INTERFACE|VLAN_MEMBER)\|/.test(key) && steady.has(key.split('|').at(-1) ?? ''),
      );
      touched.clear();
      steady = new Set(wishes.keys());
      return found;
    },
    close: (): void => events.destroy(),
  };
}

/** Random desired states, one after the other; now and then the next one comes before the last has been reached. */
export async function runTransitions(leaf: TestLeaf, count: number, random: () => number): Promise<Run> {
  let desired = randomDesired(leaf.machines, random, { vrfs: 5 });
  const steady = await watchSteady(leaf);
  let cycles = 0;
  let actions = 0;
  for (let transition = 0; transition < count; transition += 1) {
    steady.want(desired);
    const isHasty = random() < 0.3 && transition < count - 1;
    const rowsBefore = isHasty ? undefined : await leaf.rows();
    for (let attempt = 0; ; attempt += 1) {
      const { plan, outcome } = await leaf.cycle(desired);
      cycles += 1;
      actions += outcome.done.length;
      await leaf.check();
      const changes = plan.actions.reduce((sum, action) => sum + action.changes.length, 0);
      const problems = [...plan.problems, ...outcome.problems];
      if (isHasty || (changes === 0 && problems.length === 0)) break;
      if (attempt === 5)
        throw new Error(`transition ${transition} does not converge: ${JSON.stringify({ problems, desired })}`);
    }
    if (rowsBefore !== undefined) {
      const wrong = [
        ...differences(await leaf.rows(), desired),
        ...(await steady.touched()).map((key) => `${key} was written without a reason`),
      ];
      if (wrong.length > 0) throw new Error(`transition ${transition}: ${wrong.join('; ')}`);
    }
    desired = randomDesired(leaf.machines, random, { vrfs: 5, before: desired });
  }
  steady.close();
  return { transitions: count, cycles, actions };
}
