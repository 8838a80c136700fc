import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { checkByModels } from '../../src/yang/check-by-models.ts';
import { printFinding } from '../../src/yang/finding.ts';
import { openYangModels, type YangModels } from '../../src/yang/yang-models.ts';
import { miniModels, whySkipped } from './models.ts';

const skipped = whySkipped(false);

describe.skipIf(skipped !== undefined)(
  `yanglint with small models${skipped === undefined ? '' : `: ${skipped}`}`,
  () => {
    const stack = new AsyncDisposableStack();
    const stop = new AbortController();
    let models: YangModels;
    beforeAll(async () => {
      const { folder } = stack.use(await miniModels());
      models = stack.use(await openYangModels({ modelsDir: folder, clock: systemClock, signal: stop.signal }));
    });
    afterAll(() => stack.disposeAsync());

    const errorsOf = async (configDb: ConfigDb): Promise<readonly string[]> => {
      const { findings, isComplete } = await checkByModels(configDb, models, systemClock);
      if (!isComplete) throw new Error(findings.map(printFinding).join('\n'));
      return findings.map(printFinding);
    };
    const ports = (count: number): ConfigDb[string] =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`Ethernet${index}`, { lanes: `${index}` }]));

    test('takes what fits, maps, settings, joined lists and odd texts included', async () => {
      expect(
        await errorsOf({
          PORT: { Ethernet0: { lanes: '<1>&"2"\n\r\t\'3\' €', mtu: '9100', autoneg: 'on', adv_speeds: '100, 200' } },
          MAP: { AZURE: { 0: '1', 63: '7' } },
          SETTINGS: { global: {} },
          VLAN: { Vlan10: { vlanid: '10', dhcp_servers: [] }, Vlan11: { dhcp_servers: ['a', 'b'] } },
          VLAN_MEMBER: { 'Vlan10|Ethernet0': { tagging_mode: 'tagged' } },
          VLAN_INTERFACE: { Vlan10: { zone: '1' }, 'Vlan10|10.0.0.1/24': { metric: '3' } },
        }),
      ).toEqual([]);
    });

    test('finds everything at once, each by table, key and field, with what to write', async () => {
      expect(
        await errorsOf({
          PORT: {
            ...ports(2),
            Ethernet2: { lanes: '1', mtu: '10000', autoneg: 'ON', speeed: '1', address: ['x'] },
            Ethernet3: { lanes: '1', mtu: '10000', adv_speeds: ['1', 'x', '1'] },
            Ethernet4: {},
            Ethernet5: { lanes: '1', address: 'a', pool: 'b' },
            eth6: { lanes: '1' },
          },
          MAP: { AZURE: { 64: '1', 1: '8' } },
          SETTINGS: { global: { level: '300' }, Global: {} },
          VLAN: { Vlan10: { vlanid: '11' } },
          VLAN_MEMBER: {
            'Vlan10|Ethernet0': {},
            'Vlan10|Ethernet1': { tagging_mode: 'Tagged' },
            'Vlan10|Ethernet99': { tagging_mode: 'tagged' },
            Vlan10: { tagging_mode: 'tagged' },
          },
          VLAN_INTERFACE: { 'Vlan10|10.0.0.1/24': {} },
        }).then((errors) => errors.toSorted()),
      ).toEqual(
        [
          'MAP|AZURE 1: "8" does not fit; write a number of 0 to 7',
          'MAP|AZURE 64: "64" does not fit; write a number of 0 to 63',
          'PORT|Ethernet2 address: takes one text, not a list',
          'PORT|Ethernet2 autoneg: "ON" does not fit; write on or off',
          'PORT|Ethernet2 mtu: "10000" does not fit; write a number of 68 to 9216',
          'PORT|Ethernet2 speeed: there is no such field in PORT; leave it out',
          'PORT|Ethernet3 adv_speeds: "1" stands here twice; leave one out',
          'PORT|Ethernet3 adv_speeds: "x" does not fit; write a number of 0 to 4294967295',
          'PORT|Ethernet3 mtu: "10000" does not fit; write a number of 68 to 9216',
          'PORT|Ethernet4 lanes: is missing; write a text of 1 to 128 characters',
          'PORT|Ethernet5: has fields of both static and dynamic, which exclude each other; leave one side out',
          'PORT|eth6 name: "eth6" does not fit; write something like Ethernet0',
          'SETTINGS|Global: the key does not fit the model: write "global"',
          'SETTINGS|global level: "300" does not fit; write a number of 0 to 255',
          'VLAN_INTERFACE|Vlan10|10.0.0.1/24 name: "Vlan10" is not there; write the name of a row of VLAN_INTERFACE',
          'VLAN_MEMBER|Vlan10: the key does not fit the model: write "<name>|<port>"',
          'VLAN_MEMBER|Vlan10|Ethernet0 tagging_mode: is missing; write tagged or untagged',
          'VLAN_MEMBER|Vlan10|Ethernet1 tagging_mode: "Tagged" does not fit; write tagged or untagged',
          'VLAN_MEMBER|Vlan10|Ethernet99 port: "Ethernet99" is not there; write the name of a row of PORT',
          'VLAN|Vlan10 vlanid: breaks a rule of the model: vlanid must be in the name',
        ].toSorted(),
      );
    });

    test('does not blame a row for what another one lacks', async () => {
      expect(
        await errorsOf({
          PORT: { Ethernet0: { mtu: '1' } },
          VLAN: { 'Vlan 10': {}, Vlan11: {} },
          VLAN_MEMBER: {
            'Vlan11|Ethernet0': { tagging_mode: 'tagged' },
            'Vlan 10|Ethernet0': { tagging_mode: 'tagged' },
          },
        }),
      ).toEqual([
        'PORT|Ethernet0 mtu: "1" does not fit; write a number of 68 to 9216',
        'VLAN|Vlan 10 name: "Vlan 10" does not fit; write something like Vlan100',
        'PORT|Ethernet0 lanes: is missing; write a text of 1 to 128 characters',
      ]);
    });

    test('names a row whose key holds quotes and brackets', async () => {
      const key = `a"b'c]/[d='e`;
      expect(await errorsOf({ MAP: { [key]: { 1: 'x' } } })).toEqual([
        `MAP|${key} 1: "x" does not fit; write a number of 0 to 7`,
      ]);
      expect(await errorsOf({ VLAN: { Vlan1: {} }, VLAN_INTERFACE: { [`Vlan1|${key}`]: {} } })).toEqual([
        `VLAN_INTERFACE|Vlan1|${key} name: "Vlan1" is not there; write the name of a row of VLAN_INTERFACE`,
      ]);
    });

    test('never shows the value of a password', async () => {
      expect(await errorsOf({ PORT: { Ethernet0: { lanes: '1', passkey: 'geheim123' } } })).toEqual([
        'PORT|Ethernet0 passkey: the value does not fit; write a text of 4 to 8 characters',
      ]);
    });

    test('says when it stopped looking', async () => {
      const rows = Object.fromEntries(
        Array.from({ length: 150 }, (_, index) => [`Ethernet${index}`, { lanes: '1', mtu: `${index + 10_000}` }]),
      );
      const { findings, isComplete } = await checkByModels({ PORT: rows }, models, systemClock);
      expect(isComplete).toBe(false);
      expect(findings).toHaveLength(100);
    });

    test('tells one wrong text in a thousand rows at once', async () => {
      const rows = Object.fromEntries(
        Array.from({ length: 999 }, (_, index) => [`Ethernet${index}`, { lanes: '1', mtu: '10000' }]),
      );
      expect(await errorsOf({ PORT: rows })).toHaveLength(999);
    });

    test('stops at a thousand of fifty thousand rows with one wrong text', async () => {
      const rows = Object.fromEntries(
        Array.from({ length: 50_000 }, (_, index) => [`Ethernet${index}`, { lanes: '1', mtu: '10000' }]),
      );
      const { findings, isComplete } = await checkByModels({ PORT: rows }, models, systemClock);
      expect(isComplete).toBe(false);
      expect(findings).toHaveLength(1_000);
    });

    test('checks one configuration after the other, also when asked at once', async () => {
      const good: ConfigDb = { PORT: ports(1) };
      const bad: ConfigDb = { PORT: { Ethernet0: {} } };
      const results = [];
      for (const configDb of [good, bad, good, bad]) results.push(await errorsOf(configDb));
      expect(results.map(({ length }) => length)).toEqual([0, 1, 0, 1]);
    });

    test('says which model does not load', async () => {
      await using broken = await miniModels();
      await writeFile(join(broken.folder, 'bad.yang'), 'module bad { namespace "urn:bad"; prefix b; leaf x { } }');
      await expect(
        openYangModels({ modelsDir: broken.folder, clock: systemClock, signal: stop.signal }),
      ).rejects.toMatchObject({ code: 'SWITCH_YANG_MODELS', message: expect.stringContaining('bad') });
    });

    test('stops with its signal, and leaves no file behind', async () => {
      const before = (await readdir(tmpdir())).filter((name) => name.startsWith('ingot-yang-'));
      await using own = await miniModels();
      const stopOwn = new AbortController();
      const opened = await openYangModels({ modelsDir: own.folder, clock: systemClock, signal: stopOwn.signal });
      const checking = checkByModels({ PORT: ports(500) }, opened, systemClock);
      stopOwn.abort(new Error('enough'));
      await expect(checking).rejects.toThrow('enough');
      await opened[Symbol.asyncDispose]();
      const after = (await readdir(tmpdir())).filter((name) => name.startsWith('ingot-yang-'));
      expect(after.filter((name) => !before.includes(name))).toEqual([]);
    });
  },
);
