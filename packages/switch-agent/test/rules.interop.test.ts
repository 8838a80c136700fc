import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DesiredNic } from '../src/api.ts';
import { type Rule, RULES } from '../src/reconcile/rules.ts';
import { CONFIG_DB, startRedis, STATE_DB, type TestRedis } from './redis-server.ts';
import type { Daemon } from './sonic/swss.ts';
import { seeded, startLeaf, type TestLeaf } from './sonic/transitions.ts';

/** So often does the executor look at the hardware before something that is held is let go: no step is late by then. */
const LOOKS = 8;
const RELOAD_MS = 150;

const PXE: DesiredNic = { name: 'Ethernet0' };
const FIREWALL: DesiredNic = { name: 'Ethernet0', vrf: 'default' };
const tenant = (vni: number): DesiredNic => ({ name: 'Ethernet0', vrf: `vrf${vni}` });

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

/** The other ports stay as they are. */
const cycle = async (leaf: TestLeaf, nic: DesiredNic, rules?: readonly Rule[]) =>
  leaf.cycle({ nics: [nic, { name: 'Ethernet1', vrf: 'default' }] }, rules);

/** Runs a cycle and calls `release` while it is waiting, or when it is over without. */
async function releasing(leaf: TestLeaf, running: Promise<unknown>, release: () => unknown): Promise<void> {
  const { stateDb } = leaf.databases;
  const before = stateDb.roundTrips;
  const over = new AbortController();
  const ended = running.finally(() => over.abort());
  while (!over.signal.aborted && stateDb.roundTrips < before + 2 * LOOKS) await sleep(1);
  await release();
  await ended;
}

/** One cycle in which a daemon is busy with something else at first. */
async function cycleHolding(leaf: TestLeaf, daemon: Daemon, nic: DesiredNic, rules: readonly Rule[]): Promise<void> {
  await leaf.swss.settled();
  const { release } = leaf.swss.hold(daemon);
  await releasing(leaf, cycle(leaf, nic, rules), release);
}

/** Ends with a complaint when the rules are not enough. */
type Scenario = (leaf: TestLeaf, rules: readonly Rule[]) => Promise<string | undefined>;

const crashes = async (leaf: TestLeaf): Promise<string | undefined> => {
  await leaf.swss.settled();
  return leaf.swss.crash ?? (await leaf.frr.refused());
};

const SCENARIOS: Readonly<Record<string, readonly [Scenario, complaint: RegExp]>> = {
  'frr-lets-go-first': [
    async (leaf, rules) => {
      await cycle(leaf, FIREWALL);
      await leaf.swss.settled();
      leaf.frr.reloadMs = RELOAD_MS;
      await cycle(leaf, PXE, rules);
      return crashes(leaf);
    },
    /^bgpd: Ethernet0 lost its address with a neighbour on it/,
  ],
  'port-settles-before-release': [
    async (leaf, rules) => {
      await leaf.swss.settled();
      const { release, reached } = leaf.swss.hold('intfmgrd', 'busy');
      // What an agent that was killed has just written, and intfmgrd has just read.
      await redis.run(CONFIG_DB, [['HSET', 'INTERFACE|Ethernet0', 'ipv6_use_link_local_only', 'enable']]);
      await reached;
      await releasing(leaf, cycle(leaf, PXE, rules), release);
      return crashes(leaf);
    },
    /Ethernet0 is (?:in the bridge, and now routed|a routed interface, and now in Vlan4000)/,
  ],
  'port-free-before-bind': [
    async (leaf, rules) => {
      await cycle(leaf, tenant(100));
      await cycleHolding(leaf, 'intfmgrd', PXE, rules);
      return crashes(leaf);
    },
    /^vlanmgrd: Ethernet0 is in Vrf100, and now in Vlan4000/,
  ],
  'vrf-before-its-ports': [
    async (leaf, rules) => {
      await cycle(leaf, PXE);
      // The VRF of that name is still on its way out, so there cannot be a new one yet.
      await redis.run(STATE_DB, [['HSET', 'VRF_OBJECT_TABLE|Vrf100', 'state', 'ok']]);
      await cycle(leaf, tenant(100), rules);
      return crashes(leaf);
    },
    /^intfmgrd: Ethernet0 is bound to Vrf100, which is not there/,
  ],
  'vrf-before-frr': [
    async (leaf, rules) => {
      await cycle(leaf, tenant(100));
      // swss starts again: everything is as wanted, but the VRF has no device for a while.
      await redis.run(STATE_DB, [['DEL', 'VRF_TABLE|Vrf100']]);
      await releasing(leaf, cycle(leaf, tenant(100), rules), () =>
        redis.run(STATE_DB, [['HSET', 'VRF_TABLE|Vrf100', 'state', 'ok']]),
      );
      return leaf.frr.models.at(-1)?.vrfs.length === 1 ? undefined : 'FRR has lost a tenant';
    },
    /^FRR has lost a tenant/,
  ],
  'ports-before-frr': [
    async (leaf, rules) => {
      await cycle(leaf, PXE);
      await cycleHolding(leaf, 'vlanmgrd', FIREWALL, rules);
      const firewalls = leaf.frr.models.at(-1)?.firewalls.map(({ port }) => port) ?? [];
      return firewalls.includes('Ethernet0') ? undefined : 'FRR does not know the firewall';
    },
    /^FRR does not know the firewall/,
  ],
  'ports-leave-before-teardown': [
    async (leaf, rules) => {
      await cycle(leaf, tenant(100));
      await cycleHolding(leaf, 'intfmgrd', PXE, rules);
      return crashes(leaf);
    },
    /^orchagent: Vrf100 lost its VNI with Ethernet0 in it/,
  ],
  'vlan-settles-before-teardown': [
    async (leaf, rules) => {
      await cycle(leaf, PXE);
      const { release } = leaf.swss.hold('vlanmgrd');
      // What an agent that was killed has just written.
      await redis.run(CONFIG_DB, [
        ['HSET', 'VRF|Vrf100', 'fallback', 'false', 'vni', '100'],
        ['HSET', 'VLAN|Vlan1001', 'vlanid', '1001'],
        ['HSET', 'SUPPRESS_VLAN_NEIGH|Vlan1001', 'suppress', 'on'],
        ['HSET', 'VLAN_INTERFACE|Vlan1001', 'vrf_name', 'Vrf100'],
        ['HSET', 'VXLAN_TUNNEL_MAP|vtep|map_100_Vlan1001', 'vlan', 'Vlan1001', 'vni', '100'],
      ]);
      await releasing(leaf, cycle(leaf, PXE, rules), release);
      return crashes(leaf);
    },
    /^orchagent: VLAN\|Vlan1001 was added and deleted in one burst/,
  ],
  'map-before-vlan': [
    async (leaf, rules) => {
      await cycle(leaf, tenant(100));
      await cycleHolding(leaf, 'intfmgrd', PXE, rules);
      return crashes(leaf);
    },
    /^(?:vlanmgrd|orchagent): Vlan1001 was deleted with its (?:routed interface|tunnel map) in place/,
  ],
  'vlan-before-vrf': [
    async (leaf, rules) => {
      await cycle(leaf, tenant(100));
      await cycleHolding(leaf, 'intfmgrd', PXE, rules);
      return crashes(leaf);
    },
    /^vrfmgrd: Vrf100 was deleted with \w+ in it/,
  ],
  'gone-before-new': [
    async (leaf, rules) => {
      await redis.run(CONFIG_DB, [['HSET', 'VLAN|Vlan1001', 'vlanid', '1001']]);
      await leaf.swss.settled();
      const { release } = leaf.swss.hold('vlanmgrd');
      await redis.run(CONFIG_DB, [['DEL', 'VLAN|Vlan1001']]);
      await releasing(leaf, cycle(leaf, tenant(100), rules), release);
      return crashes(leaf);
    },
    /^orchagent: VLAN\|Vlan1001 was added and deleted in one burst/,
  ],
  'vrf-before-its-stanza': [
    async (leaf, rules) => {
      await cycle(leaf, tenant(100));
      await cycleHolding(leaf, 'vrfmgrd', PXE, rules);
      return leaf.frr.models.at(-1)?.vrfs.length === 0 ? crashes(leaf) : 'FRR still has the VRF';
    },
    /^FRR still has the VRF/,
  ],
};

describe.each(RULES)('the rule $name', ({ name }) => {
  const [scenario, complaint] = SCENARIOS[name] ?? [() => Promise.resolve('there is no scenario for it'), /^$/];
  const run = async (rules: readonly Rule[], waitMs: number): Promise<string | undefined> => {
    await using leaf = await startLeaf({ random: seeded(3), machines: 2, waitMs, redis });
    return await scenario(leaf, rules);
  };

  test('keeps SONiC and FRR alive', async () => {
    expect(await run(RULES, 2000)).toBeUndefined();
  });

  test('is needed: without it they come to harm', async () => {
    expect(
      await run(
        RULES.filter((rule) => rule.name !== name),
        150,
      ),
    ).toMatch(complaint);
  });
});

describe('the stand-in for SONiC dies', () => {
  test.each<readonly [string, DesiredNic, readonly string[], RegExp]>([
    [
      'of a port that changes its VRF directly',
      tenant(100),
      ['HSET', 'INTERFACE|Ethernet0', 'vrf_name', 'VrfInternet'],
      /can not change from "Vrf100" to "VrfInternet" directly/,
    ],
    [
      'of a routed port in a VLAN',
      FIREWALL,
      ['HSET', 'VLAN_MEMBER|Vlan4000|Ethernet0', 'tagging_mode', 'untagged'],
      /Ethernet0 is a routed interface, and now in Vlan4000/,
    ],
    [
      'of a bridged port that is routed',
      PXE,
      ['HSET', 'INTERFACE|Ethernet0', 'NULL', 'NULL'],
      /Ethernet0 is in the bridge, and now routed/,
    ],
    ['of a VRF that is in use', tenant(100), ['DEL', 'VRF|Vrf100'], /Vrf100 was deleted with \w+ in it/],
    ['of a VLAN with members', PXE, ['DEL', 'VLAN|Vlan4000'], /Vlan4000 was deleted with/],
  ])('%s', async (_name, nic, command, complaint) => {
    await using leaf = await startLeaf({ random: seeded(3), machines: 2, redis });
    await cycle(leaf, nic);
    await leaf.swss.settled();
    await redis.run(CONFIG_DB, [command]);
    await expect.poll(() => leaf.swss.crash, { interval: 5 }).toMatch(complaint);
  });
});
