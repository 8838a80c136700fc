import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MockClock } from '@ingot/net';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { DesiredSwitch } from '../src/api.ts';
import { ASIC_DB, CONFIG_DB, connectTo } from './redis-server.ts';
import { executorOf, freshConfig, LEAF } from './sonic/leaf.ts';
import { portId } from './sonic/swss.ts';
import { cycleOnce, differences, seeded, startLeaf, type TestLeaf } from './sonic/transitions.ts';

const AGENT = fileURLToPath(new URL('sonic/agent-main.ts', import.meta.url));

/** Every kind of step is needed between the two. */
const BEFORE: DesiredSwitch = {
  nics: [
    { name: 'Ethernet0', vrf: 'default', filter: { cidrs: ['10.0.0.99/32'], vnis: ['100'] } },
    { name: 'Ethernet1', vrf: 'vrf100' },
    { name: 'Ethernet2', vrf: 'vrf101' },
    { name: 'Ethernet3' },
    { name: 'Ethernet4', vrf: 'vrf102' },
  ],
};
const AFTER: DesiredSwitch = {
  nics: [
    { name: 'Ethernet0' },
    { name: 'Ethernet1', vrf: 'vrf101' },
    { name: 'Ethernet2', vrf: 'default' },
    { name: 'Ethernet3', vrf: 'vrf103' },
    { name: 'Ethernet4', vrf: 'vrf102' },
  ],
};
/** Carries traffic before and after, so that nobody may touch it on the way. */
const STEADY = /\|(?:Ethernet4|Ethernet120|Ethernet124|Vrf102|Ethernet64|Vlan4000)$|map_102_/;

/** Runs until the agent has reached it, or has died as it was told to. */
async function agent(leaf: TestLeaf, desired: DesiredSwitch, dieAt?: number): Promise<'converged' | 'killed' | 'lost'> {
  const orders = JSON.stringify({ socketPath: leaf.redis.socketPath, desired, dieAt });
  const { stdout, signal } = await execa(process.execPath, ['--disable-warning=ExperimentalWarning', AGENT, orders], {
    reject: false,
    timeout: 50_000,
  });
  if (signal === 'SIGKILL') return 'killed';
  return stdout.includes('converged') ? 'converged' : 'lost';
}

async function reach(leaf: TestLeaf, desired: DesiredSwitch): Promise<void> {
  for (let cycle = 0; cycle < 5; cycle += 1) {
    const { plan } = await leaf.cycle(desired);
    if (plan.actions.every(({ changes }) => changes.length === 0)) return;
  }
  throw new Error('does not converge');
}

test('an agent that is killed at any step is followed by one that gets there, and what carries traffic is not touched', async () => {
  await using leaf = await startLeaf({ random: seeded(5), machines: 5 });
  const events = await connectTo(leaf.redis.socketPath, CONFIG_DB);
  const touched = new Set<string>();
  await reach(leaf, BEFORE);
  await events.pSubscribe(`__keyspace@${CONFIG_DB}__:*`, (_event, channel) => touched.add(channel));
  let step = 0;
  for (; ; step += 1) {
    const end = await agent(leaf, AFTER, step);
    if (end !== 'killed') {
      expect(end).toBe('converged');
      break;
    }
    await leaf.check();
    await reach(leaf, AFTER);
    await leaf.check();
    expect(differences(await leaf.rows(), AFTER)).toEqual([]);
    await reach(leaf, BEFORE);
  }
  // As many as the way there has steps.
  expect(step).toBeGreaterThan(12);
  expect([...touched].filter((key) => STEADY.test(key))).toEqual([]);
  events.destroy();
}, 300_000);

test.each([1, 6, 11])(
  'a Redis that is killed at step %i costs the cycle, and the next one gets there',
  async (step) => {
    await using leaf = await startLeaf({ random: seeded(6), machines: 5 });
    await reach(leaf, BEFORE);
    let steps = 0;
    let killed: Promise<void> | undefined;
    const onAction = (): void => {
      if (steps === step) killed = leaf.redis.signal('SIGKILL');
      steps += 1;
    };
    const cut = cycleOnce({ ...executorOf(leaf.databases, leaf.frr), onAction }, LEAF, AFTER);
    // The stand-in for FRR keeps its state in the same Redis, and may be the first to miss it.
    await expect(cut).rejects.toThrow(/_DB at .* failed: |closed/i);
    expect(steps).toBeGreaterThan(step);
    await killed;
    await leaf.redis.start();
    // Empty, and then half of it: nothing that is missing counts as a wish.
    await expect(leaf.cycle(AFTER)).rejects.toThrow(
      /has not loaded config_db\.json, or is loading it again; nothing is changed/,
    );
    await leaf.redis.run(
      CONFIG_DB,
      freshConfig(leaf.machines).filter(([command]) => command === 'HSET'),
    );
    await expect(leaf.cycle(AFTER)).rejects.toThrow(/has not loaded/);
    // SONiC is back, and the agent goes on with the connections that it had.
    await using again = await startLeaf({ random: seeded(6), machines: 5, redis: leaf.redis });
    const executor = executorOf(leaf.databases, again.frr);
    await cycleOnce(executor, LEAF, AFTER);
    const { plan, outcome } = await cycleOnce(executor, LEAF, AFTER);
    expect([...plan.problems, ...outcome.problems]).toEqual([]);
    expect(differences(await again.rows(), AFTER)).toEqual([]);
    await again.check();
  },
);

test('a Redis that hangs costs its deadline, and goes on where it was', async () => {
  const clock = new MockClock();
  await using leaf = await startLeaf({ random: seeded(7), machines: 5, clock });
  await reach(leaf, BEFORE);
  await leaf.redis.signal('SIGSTOP');
  const cycle = leaf.cycle(AFTER);
  cycle.catch(() => {});
  await clock.advance(5000);
  await expect(cycle).rejects.toThrow(/CONFIG_DB at .* does not answer \(no answer within 5000 ms\)/);
  await leaf.redis.signal('SIGCONT');
  await reach(leaf, AFTER);
  await leaf.check();
  expect(differences(await leaf.rows(), AFTER)).toEqual([]);
});

test('a cycle changes nothing on a CONFIG_DB without ports', async () => {
  await using leaf = await startLeaf({ random: seeded(8), machines: 0 });
  await leaf.redis.run(CONFIG_DB, [['FLUSHDB'], ['SET', 'CONFIG_DB_INITIALIZED', '1']]);
  await expect(leaf.cycle(BEFORE)).rejects.toMatchObject({ code: 'SWITCH_NOT_LOADED' });
});

test('what somebody else changes in the middle of a cycle is not overwritten', async () => {
  await using leaf = await startLeaf({ random: seeded(9), machines: 5 });
  await reach(leaf, BEFORE);
  const hold = leaf.swss.hold('intfmgrd');
  const { stateDb } = leaf.databases;
  const before = stateDb.roundTrips;
  const running = leaf.cycle(AFTER);
  // It has made its plan when it looks at the hardware.
  while (stateDb.roundTrips === before) await sleep(1);
  // An operator is faster than the agent, which still waits for the port to be free.
  await leaf.redis.run(CONFIG_DB, [['HSET', 'PORT|Ethernet0', 'description', 'mine']]);
  hold.release();
  const { outcome } = await running;
  expect(outcome.problems).toContainEqual({
    subject: 'Ethernet0',
    reason: expect.stringMatching(/^PORT\|Ethernet0 was changed by somebody else meanwhile/),
  });
  await reach(leaf, AFTER);
  expect((await leaf.rows()).get('PORT|Ethernet0')).toMatchObject({ description: 'mine', mtu: '9000' });
});

test('a port that the chip does not let go of holds up itself, and nobody else', async () => {
  await using leaf = await startLeaf({ random: seeded(10), machines: 5, waitMs: 500 });
  await reach(leaf, BEFORE);
  const stuck = 'ASIC_STATE:SAI_OBJECT_TYPE_ROUTER_INTERFACE:oid:0xdead';
  await leaf.redis.run(ASIC_DB, [['HSET', stuck, 'SAI_ROUTER_INTERFACE_ATTR_PORT_ID', portId('Ethernet0')]]);
  const { outcome } = await leaf.cycle(AFTER);
  expect(outcome.problems).toEqual([
    { subject: 'Ethernet0', reason: 'its router interface is still in ASIC_DB, after 1 s' },
  ]);
  const rows = await leaf.rows();
  expect([rows.has('INTERFACE|Ethernet0'), rows.has('VLAN_MEMBER|Vlan4000|Ethernet0')]).toEqual([false, false]);
  expect(differences(rows, AFTER).every((difference) => difference.includes('Ethernet0'))).toBe(true);
  expect(leaf.frr.models.at(-1)).toMatchObject({
    firewalls: [{ port: 'Ethernet2' }],
    vrfs: [{ name: 'Vrf101' }, { name: 'Vrf102' }, { name: 'Vrf103' }],
  });
  await leaf.redis.run(ASIC_DB, [['DEL', stuck]]);
  await reach(leaf, AFTER);
  await leaf.check();
});

test('an idle cycle writes nothing and asks Redis a few times, however much else there is in it', async () => {
  await using leaf = await startLeaf({ random: seeded(12), machines: 5 });
  const fill = "for i = 1, 20000 do redis.call('HSET', ARGV[1] .. i, 'a', 'b') end";
  await leaf.redis.run(CONFIG_DB, [['EVAL', fill, '0', 'BUFFER_QUEUE|']]);
  await leaf.redis.run(ASIC_DB, [['EVAL', fill, '0', 'ASIC_STATE:SAI_OBJECT_TYPE_ROUTE_ENTRY:']]);
  await reach(leaf, BEFORE);
  const events = await connectTo(leaf.redis.socketPath, CONFIG_DB);
  const touched: string[] = [];
  await events.pSubscribe(`__keyspace@${CONFIG_DB}__:*`, (_event, channel) => touched.push(channel));
  const { configDb, asicDb, countersDb, stateDb } = leaf.databases;
  const asked = (): number =>
    [configDb, asicDb, countersDb, stateDb].reduce((sum, { roundTrips }) => sum + roundTrips, 0);
  const before = asked();
  const { plan, outcome } = await leaf.cycle(BEFORE);
  expect([...plan.problems, ...outcome.problems]).toEqual([]);
  expect(asked() - before).toBeLessThan(50);
  // Answered behind all events so far.
  await events.ping();
  expect(touched).toEqual([]);
  events.destroy();
});
