import { readFileSync } from 'node:fs';
import { MockClock } from '@ingot/net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findLeaves } from '../src/lldp/leaves.ts';
import type { LeafSearch } from '../src/lldp/leaves.ts';
import { parseNeighbors } from '../src/lldp/neighbors.ts';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

const leaf1 = {
  nic: 'm1',
  chassisId: 'aa:79:c2:e3:53:33',
  chassisIdType: 'mac',
  sysName: 'leaf1',
  portId: 'Eth1/1',
  portIdType: 'local',
  portDescription: 'Ethernet0',
};
const leaf2 = { ...leaf1, nic: 'm2', chassisId: '66:c1:88:c9:9b:20', sysName: 'leaf2' };

test.each(['lldp-two-leaves.json', 'lldp-two-leaves.json0.json'])('%s names two leaves', (name) => {
  expect(parseNeighbors(fixture(name))).toMatchObject({ ok: true, value: [leaf1, leaf2] });
});

test('one neighbour is an object instead of a list, and is read all the same', () => {
  expect(parseNeighbors(fixture('lldp-one-leaf.json'))).toMatchObject({ ok: true, value: [leaf1] });
});

test('no neighbour is no error', () => {
  expect(parseNeighbors(fixture('lldp-none.json'))).toEqual({ ok: true, value: [] });
});

test('a neighbour that sends no name is known by its chassis', () => {
  const text =
    '{"lldp":{"interface":{"eth0":{"via":"LLDP","chassis":{"id":{"type":"mac","value":"02:00:00:00:00:01"}},"port":{"id":{"type":"ifname","value":"swp1"}}}}}}';
  expect(parseNeighbors(text)).toMatchObject({ ok: true, value: [{ sysName: '', portId: 'swp1' }] });
});

test('two neighbours on one port are both kept, CDP is not', () => {
  const record = (via: string, id: string): string =>
    `{"eth0":{"via":"${via}","chassis":{"x":{"id":{"type":"mac","value":"${id}"}}},"port":{"id":{"type":"mac","value":"${id}"}}}}`;
  const parsed = parseNeighbors(
    `{"lldp":{"interface":[${record('LLDP', 'a')},${record('LLDP', 'b')},${record('CDPv2', 'c')}]}}`,
  );
  expect(parsed).toMatchObject({ ok: true, value: [{ chassisId: 'a' }, { chassisId: 'b' }] });
});

test('whatever lldpcli prints is a value, never a throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseNeighbors(text)));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => void parseNeighbors(JSON.stringify({ lldp: { interface: value } }))),
  );
  expect(parseNeighbors('lldpcli: unable to connect')).toMatchObject({ ok: false, offset: 0 });
});

async function search(outputs: readonly string[], ownUuid = 'none'): Promise<{ result: LeafSearch; tookMs: number }> {
  const clock = new MockClock();
  let asked = 0;
  let result: LeafSearch | undefined;
  const running = findLeaves({
    run: () => {
      const output = outputs[Math.min(asked++, outputs.length - 1)] ?? '';
      return output === '' ? Promise.reject(new Error('no socket')) : Promise.resolve(output);
    },
    clock,
    signal: new AbortController().signal,
    timeoutMs: 40_000,
    pollMs: 1_000,
    links: () => [
      { name: 'm1', carrier: true },
      { name: 'm2', carrier: true },
      { name: 'm3', carrier: false },
    ],
    ownUuid,
  });
  void running.then((found) => (result = found));
  await clock.advanceUntil(() => result !== undefined);
  return { result: await running, tookMs: clock.monotonic() };
}

test('listening ends as soon as the second leaf speaks', async () => {
  const { result, tookMs } = await search(['', fixture('lldp-one-leaf.json'), fixture('lldp-two-leaves.json')]);
  expect(result).toMatchObject({ complete: true, diagnosis: '' });
  expect(tookMs).toBe(2_000);
});

test('after the timeout every port says what it heard', async () => {
  const { result, tookMs } = await search([fixture('lldp-one-leaf.json')]);
  expect(tookMs).toBe(40_000);
  expect(result.complete).toBe(false);
  expect(result.diagnosis).toBe(
    'heard 1 of 2 leaves: m1 hears leaf1 port Eth1/1, m2 has a link but hears no LLDP, m3 has no link',
  );
});

test('other machines in discovery are no leaves', async () => {
  const { result } = await search([fixture('lldp-leaf-view.json')]);
  expect(result.neighbors).toEqual([]);
});

test('a lldpd that does not answer is named', async () => {
  const { result } = await search(['']);
  expect(result.diagnosis).toContain('lldpcli: no socket');
});
