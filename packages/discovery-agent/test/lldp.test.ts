import { readFileSync } from 'node:fs';
import { MockClock } from '@ingot/net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findLeaves } from '../src/lldp/leaves.ts';
import type { LeafFindings } from '../src/lldp/leaf-rule.ts';
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

/** One neighbour as `-f json` and as `-f json0` print it. */
function printedBoth(id: { readonly type: string; readonly value: string }): readonly string[] {
  const port = { type: 'ifname', value: 'swp1' };
  const object = { via: 'LLDP', chassis: { leaf1: { id } }, port: { id: port } };
  const lists = {
    name: 'm1',
    via: 'LLDP',
    chassis: [{ id: [id], name: [{ value: 'leaf1' }] }],
    port: [{ id: [port] }],
  };
  return [{ lldp: { interface: { m1: object } } }, { lldp: [{ interface: [lists] }] }].map((printed) =>
    JSON.stringify(printed),
  );
}

test.each([
  ['a name that is printed byte by byte', { type: 'unhandled', value: '6c 69 6e 65 2d 31' }, 'line-1'],
  ['bytes that are no text', { type: 'unhandled', value: '00 01 63' }, '000163'],
  ['an address of a family that lldpd does not know', { type: 'ip', value: '06 02 00 00 00 00 01' }, '06020000000001'],
  ['an address', { type: 'ip', value: '10.0.0.1' }, '10.0.0.1'],
  ['a name with control characters', { type: 'local', value: '\u001b[2Jx\u202e\n' }, '[2Jx'],
  ['a local id that starts with NUL, of which lldpd shows nothing', { type: 'local', value: '' }, ''],
])('a chassis id: %s', (_, id, chassisId) => {
  for (const text of printedBoth(id))
    expect(parseNeighbors(text)).toMatchObject({ ok: true, value: [{ sysName: 'leaf1', chassisId }] });
});

test('capabilities, time to live and age are read from both shapes', () => {
  const capabilities = [
    { type: 'Bridge', enabled: false },
    { type: 'Router', enabled: true },
    { type: 'Wlan', enabled: false },
    { type: 'Station', enabled: false },
  ];
  for (const name of ['lldp-two-leaves.json', 'lldp-two-leaves.json0.json'])
    expect(parseNeighbors(fixture(name))).toMatchObject({
      ok: true,
      value: [{ capabilities, ttlSeconds: 8, ageSeconds: 4 }, { capabilities }],
    });
});

test('what is too long is cut, and what is too much left out', () => {
  const one = {
    via: 'LLDP',
    chassis: { ['n'.repeat(1000)]: { id: { type: 'local', value: 'c' } } },
    port: { id: { type: 'local', value: 'p'.repeat(1000) } },
  };
  const text = JSON.stringify({
    lldp: { interface: Array.from({ length: 5000 }, (_, index) => ({ [`m${index}`]: one })) },
  });
  const parsed = parseNeighbors(text);
  expect(parsed.ok && parsed.value.length).toBe(1024);
  expect(
    parsed.ok && parsed.value.every(({ sysName, portId }) => sysName.length === 255 && portId.length === 255),
  ).toBe(true);
});

test('records of any shape are a value, and their texts hold no control characters', () => {
  const text = fc.string({ unit: 'binary-ascii' });
  const leaf = fc.oneof(
    text,
    fc.record({ value: text }),
    fc.array(fc.record({ value: text }), { maxLength: 2 }),
    fc.jsonValue(),
  );
  const id = fc.oneof(leaf, fc.record({ type: leaf, value: leaf }), fc.array(fc.record({ type: text, value: text })));
  const chassis = fc.record(
    { id, name: leaf, descr: leaf, capability: fc.oneof(leaf, fc.array(fc.jsonValue())) },
    { requiredKeys: ['id'] },
  );
  const oneInterface = fc.record({
    name: text,
    via: fc.constantFrom('LLDP', ['LLDP']),
    age: leaf,
    chassis: fc.oneof(chassis, fc.array(chassis, { maxLength: 2 }), fc.dictionary(text, chassis, { maxKeys: 2 })),
    port: fc.record({ id, descr: leaf, ttl: leaf }),
  });
  fc.assert(
    fc.property(fc.array(oneInterface, { maxLength: 3 }), (list) => {
      const parsed = parseNeighbors(JSON.stringify({ lldp: [{ interface: list }] }));
      if (!parsed.ok) throw new Error(parsed.reason);
      for (const { nic: _, capabilities, ttlSeconds, ageSeconds, ...texts } of parsed.value) {
        expect(Object.values(texts).join('')).not.toMatch(/\p{Cc}/u);
        expect([capabilities.length <= 16, ttlSeconds >= 0, ageSeconds >= 0]).toEqual([true, true, true]);
      }
    }),
  );
});

test('whatever lldpcli prints is a value, never a throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseNeighbors(text)));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => void parseNeighbors(JSON.stringify({ lldp: { interface: value } }))),
  );
  expect(parseNeighbors('lldpcli: unable to connect')).toMatchObject({ ok: false, offset: 0 });
});

async function search(outputs: readonly string[]): Promise<{ result: LeafFindings; tookMs: number }> {
  const clock = new MockClock();
  let asked = 0;
  let result: LeafFindings | undefined;
  const running = findLeaves({
    run: () => {
      const output = outputs[Math.min(asked++, outputs.length - 1)] ?? '';
      return output === '' ? Promise.reject(new Error('no socket')) : Promise.resolve(output);
    },
    clock,
    signal: new AbortController().signal,
    ports: () => [
      { name: 'm1', carrier: true, driver: '' },
      { name: 'm2', carrier: true, driver: '' },
      { name: 'm3', carrier: false, driver: '' },
    ],
    ownUuid: 'none',
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

test('a leaf that falls silent or says goodbye is forgotten', async () => {
  const { result } = await search([fixture('lldp-one-leaf.json'), fixture('lldp-none.json')]);
  expect(result.neighbors).toEqual([]);
  expect(result.diagnosis).toContain('m1 has a link but hears no LLDP');
});

test('a lldpd that does not answer is named', async () => {
  const { result } = await search(['']);
  expect(result.diagnosis).toContain('lldpcli: no socket');
});
