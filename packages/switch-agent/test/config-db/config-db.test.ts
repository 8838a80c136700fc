import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConfigDb, Row } from '../../src/config-db/config-db.ts';
import { diffConfigDb, diffRow } from '../../src/config-db/diff-config-db.ts';
import { naturalOrder } from '../../src/config-db/natural-order.ts';
import { parseConfigDb } from '../../src/config-db/parse-config-db.ts';
import { printConfigDb } from '../../src/config-db/print-config-db.ts';
import { configDbOfRedis, fromRedisFields, toRedisFields } from '../../src/config-db/redis-rows.ts';

const parsed = (text: string): ConfigDb => {
  const document = parseConfigDb('config_db.json', text);
  if (!document.ok) throw new Error(document.problems.join('\n'));
  return document.value;
};
const problems = (text: string): readonly string[] => {
  const document = parseConfigDb('config_db.json', text);
  return document.ok ? [] : document.problems;
};

// Texts that Redis can tell apart: no list item has a comma, no list is of one empty text.
const name = fc.stringMatching(/^[A-Za-z][\w/:.-]{0,12}$/);
const item = fc.stringMatching(/^[^,\0]{1,12}$/);
const row: fc.Arbitrary<Row> = fc.dictionary(name, fc.oneof(fc.string(), fc.array(item, { maxLength: 4 })), {
  maxKeys: 5,
  noNullPrototype: true,
});
const key = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|'));
const configDb: fc.Arbitrary<ConfigDb> = fc.dictionary(
  name,
  fc.dictionary(key, row, { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
  { maxKeys: 5, noNullPrototype: true },
);

describe('parsing config_db.json', () => {
  test('makes texts of numbers and drops the NULL of a row without fields', () => {
    expect(parsed('{"VLAN": {"Vlan10": {"vlanid": 10}}, "INTERFACE": {"Ethernet0": {"NULL": "NULL"}}}')).toEqual({
      VLAN: { Vlan10: { vlanid: '10' } },
      INTERFACE: { Ethernet0: {} },
    });
  });

  test.each([
    ['', 'config_db.json:1:1: not JSON: it is empty'],
    ['{"PORT": {', 'config_db.json:1:11: not JSON: '],
    ['{\n  "PORT": {,}\n}', 'config_db.json:2:12: not JSON: '],
    ['[]', 'config_db.json:1:1: write an object of tables'],
    ['{\n  "bgpraw": ""\n}', 'config_db.json:2:3: bgpraw: write an object of rows ("show runningconfiguration all"'],
    ['{"PORT": {"Ethernet0": null}}', 'config_db.json:1:11: PORT|Ethernet0: write an object of fields, {} for'],
    ['{"PORT": {"Ethernet0": {"up": true}}}', 'config_db.json:1:25: PORT|Ethernet0 up: write "true" in quotes'],
    ['{"PORT": {"Ethernet0": {"up": null}}}', 'write a text, or leave the field out; SONiC would store "None"'],
    ['{"PORT": {"Ethernet0": {"up": {}}}}', 'write a text or a list of texts'],
    ['{"PORT": {"Ethernet0": {"a": [["b"]]}}}', 'write a text or a list of texts'],
    ['{"VLAN": {"Vlan10": {"dhcp_servers@": "10.0.0.1"}}}', 'write "dhcp_servers" and a list'],
    ['{"__proto__": {"a": {}}}', '"__proto__" is no name'],
    ['{"PORT": {"": {}}}', '"" is no name'],
    ['{"A": {"b": {}},\n "A": {}}', 'config_db.json:2:2: "A" stands here a second time, first at 1:2'],
    ['{"A": {"b": {"c": ["}", "\\"", "c"], "c": "1"}}}', 'config_db.json:1:37: "c" stands here a second time'],
  ])('says where %j is wrong and what to write', (text, words) => {
    expect(problems(text)).toEqual([expect.stringContaining(words)]);
  });

  test('does not quote the file in what it says of its syntax', () => {
    expect(problems('{"TACPLUS": {"global": {"passkey": "geheim" "x"}}}').join('')).not.toContain('geheim');
  });

  test('finds every place again', () => {
    const document = parseConfigDb('a.json', '{\n  "PORT": {\n    "Ethernet0": {"mtu": "9100"}\n  }\n}');
    expect(document.ok && document.locate(['PORT', 'Ethernet0', 'mtu'])).toBe('a.json:3:19');
    expect(document.ok && document.locate(['PORT', 'Ethernet0', 'fec'])).toBe('a.json:3:5');
    expect(document.ok && document.locate(['VLAN'])).toBe('a.json:1:1');
  });

  test('takes any text without throwing', () => {
    const broken = fc.tuple(configDb, fc.nat(), fc.string()).map(([value, at, text]) => {
      const printed = printConfigDb(value);
      return printed.slice(0, at % printed.length) + text;
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), broken), (text) => {
        const document = parseConfigDb('x', text);
        expect(document.ok || document.problems.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('printing config_db.json', () => {
  test('is read back as it was', () => {
    fc.assert(
      fc.property(configDb, (value) => {
        expect(parsed(printConfigDb(value))).toEqual(value);
      }),
    );
  });

  test('sorts rows naturally and fields by code, as sonic-cfggen does', () => {
    const golden = readFileSync(new URL('goldens/sorted.json', import.meta.url), 'utf8');
    const rows = { Ethernet12: { index: '4', alias: 'Eth4' }, Ethernet4: {}, Ethernet0: { lanes: '1,2' } };
    expect(
      printConfigDb({
        VLAN: { Vlan100: { dhcp_servers: ['10.0.0.2', '10.0.0.1'], members: [] }, 'Vlan10|x': {}, Vlan10: {} },
        PORT: rows,
        ACL_TABLE: {},
        TC_TO_QUEUE_MAP: { AZURE: { '10': '1', '1': 'ä', '0': '"' }, '2': {}, '1|a': {} },
      }),
    ).toBe(golden);
  });

  test('does not depend on the order that rows were made in', () => {
    fc.assert(
      fc.property(configDb, (value) => {
        const turned = Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([table, rows]) => [table, Object.fromEntries(Object.entries(rows).toReversed())]),
        );
        expect(printConfigDb(turned)).toBe(printConfigDb(value));
      }),
    );
  });

  test('has one order for any texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
        expect(Math.sign(naturalOrder(a, b))).toBe(Math.sign(-naturalOrder(b, a)) || 0);
        expect(naturalOrder(a, b) === 0).toBe(a === b);
        if (naturalOrder(a, b) < 0 && naturalOrder(b, c) < 0) expect(naturalOrder(a, c)).toBeLessThan(0);
      }),
      { numRuns: 500 },
    );
    expect(['a10', 'a9', 'a09', 'a', '18446744073709551617', '18446744073709551616'].toSorted(naturalOrder)).toEqual([
      '18446744073709551616',
      '18446744073709551617',
      'a',
      'a09',
      'a9',
      'a10',
    ]);
  });
});

describe('rows in Redis', () => {
  test('keep lists under a field with an @, and NULL where there is no field', () => {
    expect(toRedisFields({ vlanid: '10', dhcp_servers: ['10.0.0.1', '10.0.0.2'], none: [] })).toEqual({
      vlanid: '10',
      'dhcp_servers@': '10.0.0.1,10.0.0.2',
      'none@': '',
    });
    expect(toRedisFields({})).toEqual({ NULL: 'NULL' });
    expect(fromRedisFields({ NULL: 'NULL' })).toEqual({});
  });

  test('come back as they were', () => {
    fc.assert(
      fc.property(row, (value) => {
        expect(fromRedisFields(toRedisFields(value))).toEqual(value);
      }),
    );
  });
});

describe('what differs', () => {
  const before: ConfigDb = {
    PORT: { Ethernet0: { mtu: '9100', fec: 'rs' }, Ethernet4: { mtu: '9100' } },
    VLAN: { Vlan10: {} },
  };
  const after: ConfigDb = {
    PORT: { Ethernet0: { mtu: '9000', adv_speeds: ['100000'] }, Ethernet4: { mtu: '9100' }, Ethernet10: {} },
  };

  test('names rows that come, go and change, and their fields', () => {
    expect(diffConfigDb(before, after)).toEqual([
      {
        kind: 'changed',
        table: 'PORT',
        key: 'Ethernet0',
        before: before['PORT']?.['Ethernet0'],
        after: after['PORT']?.['Ethernet0'],
        fields: [
          { field: 'adv_speeds', before: undefined, after: ['100000'] },
          { field: 'fec', before: 'rs', after: undefined },
          { field: 'mtu', before: '9100', after: '9000' },
        ],
      },
      { kind: 'added', table: 'PORT', key: 'Ethernet10', after: {} },
      { kind: 'removed', table: 'VLAN', key: 'Vlan10', before: {} },
    ]);
  });

  test('is nothing between a configuration and itself, read back from Redis', () => {
    fc.assert(
      fc.property(configDb, (value) => {
        const hashes = new Map(
          Object.entries(value).map(([table, rows]) => [
            table,
            new Map(Object.entries(rows).map(([rowKey, fields]) => [rowKey, toRedisFields(fields)])),
          ]),
        );
        expect(diffConfigDb(value, configDbOfRedis(hashes))).toEqual([]);
      }),
    );
  });

  test('tells a list from a text, and lists in another order', () => {
    expect(diffRow({ a: ['1'] }, { a: '1' })).toHaveLength(1);
    expect(diffRow({ a: ['1', '2'] }, { a: ['2', '1'] })).toHaveLength(1);
    expect(diffRow({ a: ['1', '2'] }, { a: ['1', '2'] })).toEqual([]);
  });

  test('does not take what every object has for a field', () => {
    expect(diffRow({}, { constructor: 'x' })).toEqual([{ field: 'constructor', before: undefined, after: 'x' }]);
  });
});
