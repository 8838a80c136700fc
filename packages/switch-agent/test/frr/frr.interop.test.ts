import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, asyncProperty, sample } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FabricModel } from '../../src/fabric-model.ts';
import { compareConf } from '../../src/frr/compare.ts';
import { imageFeatures } from '../../src/frr/image.ts';
import { lintConf } from '../../src/frr/lint.ts';
import { renderConf } from '../../src/frr/render.ts';
import { never, rig, startFrr, type TestFrr } from './frr-kit.ts';
import { bareModel, closedModel, fullSettings, plainSettings, rackModel } from './models.ts';
import { randomModel } from './random-model.ts';

const PORTS = [
  'Ethernet0',
  'Ethernet1',
  'Ethernet2',
  'Ethernet4',
  'Ethernet5',
  'Ethernet10',
  'Ethernet120',
  'Ethernet124',
];

// The unit tests go on from random seeds; what takes a reload each is the same every time.
const SEED = Number(process.env['INGOT_SEED'] ?? 1);

describe('rendered configurations in FRR', () => {
  let frr: TestFrr;
  beforeAll(async () => {
    frr = await startFrr(PORTS, { fpm: true });
  });
  afterAll(async () => {
    await frr[Symbol.asyncDispose]();
  });

  it('run line by line, whatever ran before, and leave nothing behind', { timeout: 180_000 }, async () => {
    const { apply } = rig(frr);
    const settings = { ...fullSettings, snmp: false };
    const corpus: ReadonlyArray<readonly [FabricModel, typeof settings]> = [
      [bareModel, plainSettings],
      [rackModel, plainSettings],
      [closedModel, plainSettings],
      [{ ...rackModel, logLevel: 'debug' }, settings],
      [bareModel, plainSettings],
    ];
    for (const [model, given] of corpus) {
      const wanted = renderConf(model, given);
      expect(await apply(wanted, await frr.running(), never)).toEqual({
        result: 'applied',
        problems: [],
        crashed: false,
      });
      const running = await frr.running();
      expect(compareConf(wanted.text, running.conf)).toEqual({ missing: [], left: [] });
      expect((await apply(wanted, running, never)).result).toBe('unchanged');
    }
  });

  it('are reached from one where frr-reload cannot get at once', async () => {
    const { apply } = rig(frr);
    const [vrf] = rackModel.vrfs;
    const withFirewall = renderConf({ ...rackModel, vrfs: [] }, plainSettings);
    const withMachine = renderConf(
      { ...rackModel, firewalls: [], vrfs: vrf === undefined ? [] : [vrf] },
      plainSettings,
    );
    for (const wanted of [withFirewall, withMachine]) {
      const outcome = await apply(wanted, await frr.running(), never);
      expect(outcome).toEqual({ result: 'applied', problems: [], crashed: false });
    }
  });

  it('leave nothing for frr-reload to do a second time', async () => {
    const { apply, files } = rig(frr);
    const wanted = renderConf({ ...rackModel, vrfs: [] }, { ...plainSettings, fpm: true });
    expect((await apply(wanted, await frr.running(), never)).result).toBe('applied');
    expect(await files.good()).toBe(wanted.text);
    const diff = await frr.reloadDiff();
    // vtysh shows the name of the host, and this is not the host of that name.
    expect(diff.split('\n').filter((line) => line !== '' && !/hostname|^Lines To|^=+$/.test(line))).toEqual([]);
  });

  it('have what the modules of the daemons need', async () => {
    const running = await frr.running();
    expect([...running.daemons.keys()].toSorted()).toEqual(['bgpd', 'staticd', 'zebra']);
    expect(imageFeatures({ fpm: 'auto', snmp: 'auto' }, running, undefined)).toEqual({ fpm: true, snmp: false });
  });

  it('are accepted by vtysh -C for 40 random models', async () => {
    const models = sample(randomModel(16), { numRuns: 40, seed: SEED });
    await Promise.all(
      models.map(async (model, index) => {
        const { text } = renderConf(model, { ...plainSettings, fpm: true });
        const path = join(frr.folder, `random-${index}.conf`);
        await writeFile(path, text);
        expect(await frr.vtysh.check(path, never)).toEqual({ ok: true, problems: [] });
      }),
    );
  });

  it('run after each other for random models', { timeout: 180_000 }, async () => {
    const { apply } = rig(frr);
    await assert(
      asyncProperty(randomModel(6), async (model) => {
        // The AS number of a running BGP instance is another test's.
        const wanted = renderConf({ ...model, asn: 65_000 }, plainSettings);
        const outcome = await apply(wanted, await frr.running(), never);
        expect(outcome.problems).toEqual([]);
        expect(['applied', 'unchanged']).toContain(outcome.result);
      }),
      { numRuns: 2, seed: SEED, endOnFailure: true },
    );
  });
});

describe('the lint', () => {
  // What it is there for: `vtysh -C` lets these pass, and FRR does not run them.
  const cases = [
    ['ip prefix-list a seq 5 permit 10.0.0.0/24 le 20', 1],
    ['route-map m permit 10\n match evpn vni 1\n match evpn vni 2', 3],
    ['router bgp 65000\n neighbor e interface peer-group NONE', 2],
    ['router bgp 65000\n address-family ipv6 unicast\n  neighbor f activate', 3],
    ['vrf V1\n vni 7\nexit-vrf\nvrf V2\n vni 7\nexit-vrf', 5],
    ['route-map m2 permit 10\n call m2', 2],
  ] as const;

  it('names the lines as which FRR runs something else', async () => {
    await using frr = await startFrr([]);
    for (const [conf, line] of cases) {
      const path = join(frr.folder, 'bad.conf');
      await writeFile(path, conf);
      expect(await frr.vtysh.check(path, never)).toEqual({ ok: true, problems: [] });
      await frr.load(conf).catch(() => undefined);
      expect(compareConf(conf, (await frr.running()).conf).missing).not.toEqual([]);
      expect(lintConf(conf).map((problem) => problem.line)).toEqual([line]);
    }
  });
});
