import { join } from 'node:path';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { expect, it } from 'vitest';
import type { DesiredSwitch } from '../../src/api.ts';
import { frrField } from '../../src/config/frr.ts';
import { defaultNeighbors } from '../../src/frr/compare.ts';
import { frrOf } from '../../src/frr/from-config.ts';
import { createProblems } from '../../src/problems.ts';
import type { FrrPort } from '../../src/reconcile/frr-port.ts';
import { createReconciler } from '../../src/reconcile/reconciler.ts';
import { connectTo } from '../redis-server.ts';
import { FRR_DB, FRR_KEY } from '../sonic/frr.ts';
import { executorOf, LEAF, UPLINKS } from '../sonic/leaf.ts';
import { seeded, startLeaf } from '../sonic/transitions.ts';
import { hastyClock, never, startFrr } from './frr-kit.ts';

/** What a nic is to become, and what bgpd has to have of it then. */
const STEPS: ReadonlyArray<readonly [desired: DesiredSwitch, neighbors: readonly string[], vrfs: readonly string[]]> = [
  [
    {
      nics: [
        { name: 'Ethernet0', vrf: 'vrf100', filter: { cidrs: ['10.100.0.0/16'], vnis: [] } },
        { name: 'Ethernet1', vrf: 'default', filter: { cidrs: ['10.0.0.99/32'], vnis: ['100'] } },
      ],
    },
    ['Ethernet1'],
    ['Vrf100'],
  ],
  // A firewall and a machine change places: the neighbour has to go before the port does.
  [
    {
      nics: [
        { name: 'Ethernet0', vrf: 'default', filter: { cidrs: ['10.0.0.98/32'], vnis: ['101'] } },
        { name: 'Ethernet1', vrf: 'vrf101', filter: { cidrs: ['10.101.0.0/16'], vnis: [] } },
      ],
    },
    ['Ethernet0'],
    ['Vrf101'],
  ],
  [{ nics: [{ name: 'Ethernet0' }, { name: 'Ethernet1' }] }, [], []],
];

it(
  'the reconciler brings the databases and FRR from one desired state to the next, in the order that crashes nothing',
  { timeout: 120_000 },
  async () => {
    await using frr = await startFrr(['Ethernet0', 'Ethernet1', ...UPLINKS]);
    await using leaf = await startLeaf({ machines: 2, random: seeded(1) });
    const redis = await connectTo(leaf.redis.socketPath, FRR_DB);
    const log = new MemoryLogger();
    const real = frrOf(
      frrField.parse({
        vtysh: frr.vtyshCommand,
        reload: frr.reloadCommand,
        confFile: frr.confFile,
        confFolderOfVtysh: frr.folder,
        includeBefore: join(frr.folder, 'before.conf'),
        includeAfter: join(frr.folder, 'after.conf'),
      }),
      {
        managementInterface: 'eth0',
        cycleMs: 300_000,
        osVersion: 'SONiC.202411.1',
        configDb: leaf.databases.configDb,
        clock: hastyClock,
        metrics: createMetrics(),
        log,
      },
    );
    // The stand-in for orchagent crashes when it loses the interface of a neighbour that bgpd still has.
    const told: FrrPort = {
      observe: (signal) => real.observe(signal),
      apply: async (model, signal) => {
        const outcome = await real.apply(model, signal);
        const neighbors = [...defaultNeighbors((await frr.running()).conf)];
        await redis.set(FRR_KEY, JSON.stringify({ neighbors, vrfs: [] }));
        return outcome;
      },
    };
    const reconciler = createReconciler({
      ...executorOf(leaf.databases, told),
      hostname: 'leaf01',
      logLevel: 'info',
      leaf: LEAF,
      reconfigure: true,
      stateFile: join(frr.folder, 'desired.json'),
      problems: createProblems(log),
      log,
    });
    try {
      for (const [desired, neighbors, vrfs] of STEPS) {
        // A cycle that has to wait for hardware leaves the rest to the next one.
        for (let cycle = 0, settled = false; !settled; cycle += 1) {
          expect(cycle).toBeLessThan(5);
          const report = await reconciler.cycle(desired, (name) => name, never);
          await leaf.check();
          settled = report?.outcome?.problems.length === 0 && report.outcome.skipped.length === 0;
        }
        const { conf } = await frr.running();
        expect([...defaultNeighbors(conf)].toSorted()).toEqual([...neighbors, ...UPLINKS]);
        expect([...conf.matchAll(/^router bgp \d+ vrf (\S+)$/gm)].map(([, vrf]) => vrf)).toEqual(vrfs);
        const interfaces = [...(await leaf.rows()).keys()].filter((key) => /^INTERFACE\|Ethernet[01]$/.test(key));
        expect(interfaces.length).toBe(neighbors.length + vrfs.length);
      }
    } finally {
      redis.destroy();
    }
  },
);
