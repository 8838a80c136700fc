import { describe, expect, test } from 'vitest';
import { indexModels, type ModelIndex } from '../../src/yang/model-index.ts';
import { instanceXml } from '../../src/yang/instance-xml.ts';
import { parseLibyangError } from '../../src/yang/libyang-error.ts';
import { placeOfError } from '../../src/yang/place-of-error.ts';
import { translate } from '../../src/yang/translate.ts';

// As yanglint prints it, with what SONiC's models have: choices, lists of two shapes, maps, deprecated nodes, RPCs.
const TREE = `module: sonic-a
  +--rw sonic-a
     +--rw RULE
     |  +--rw RULE_LIST* [TABLE NAME]
     |     +--rw TABLE       -> /a:sonic-a/a:TABLE/a:TABLE_LIST/a:NAME
     |     +--rw NAME        string
     |     +--rw PRIORITY    uint32
     |     +--rw (src)?
     |     |  +--:(ipv4)
     |     |  |  +--rw SRC_IP?   inet:ipv4-prefix
     |     |  +--:(ipv6)
     |     |     +--rw SRC_IPV6?   inet:ipv6-prefix
     |     x--rw OLD?        string
     +--rw PORT
     |  +--rw PORT_LIST* [name]
     |     +--rw name          string
     |     +--rw adv_speeds*   uint32
     +--rw NET
     |  +--rw NET_LIST* [name]
     |  |  +--rw name    string
     |  |  +--rw zone?   uint8
     |  +--rw NET_IPPREFIX_LIST* [name ip-prefix]
     |     +--rw name         string
     |     +--rw ip-prefix    union
     |     +--rw scope?       enumeration
     +--rw MAP
     |  +--rw MAP_LIST* [name]
     |     +--rw name    string
     |     +--rw MAP* [dscp]
     |        +--rw dscp    string
     |        +--rw tc?     uint8
     +--rw META
        +--rw localhost
        |  +--rw mac?    mac
        +--ro state
           +--ro up?   boolean

  rpcs:
    +---x reset
       +--ro output
          +--ro done?   boolean

module: sonic-types

module: sonic-b
  +--rw other
     +--rw NOT_A_TABLE
`;

const NAMES = ['sonic-a', 'sonic-b', 'sonic-types'];
const index: ModelIndex = indexModels(
  TREE,
  NAMES.map((module) => ({ module, namespace: `urn:${module}`, text: '' })),
);

describe('the index', () => {
  test('has the tables, their keys in order and their fields, choices resolved', () => {
    expect([...index.keys()]).toEqual(['RULE', 'PORT', 'NET', 'MAP', 'META']);
    const [rule] = index.get('RULE')?.lists ?? [];
    expect(rule?.keys.map(({ name }) => name)).toEqual(['TABLE', 'NAME']);
    expect([...(rule?.fields.values() ?? [])].map(({ name, isMandatory }) => [name, isMandatory])).toEqual([
      ['PRIORITY', true],
      ['SRC_IP', false],
      ['SRC_IPV6', false],
      ['OLD', false],
    ]);
    expect(rule?.fields.get('SRC_IP')?.schemaPath).toBe('/sonic-a:sonic-a/RULE/RULE_LIST/src/ipv4/SRC_IP');
    expect([...(index.get('META')?.containers.keys() ?? [])]).toEqual(['localhost']);
    expect(index.get('MAP')?.lists[0]?.map?.key.name).toBe('dscp');
  });

  test('is empty of a text that is none', () => {
    expect(indexModels('hello\n  +--rw x', []).size).toBe(0);
  });
});

describe('the translation', () => {
  const xmlOf = (configDb: Parameters<typeof translate>[0]): string =>
    instanceXml(translate(configDb, index).rows, new Set()).text;

  test('puts keys first, one leaf a line, modules together', () => {
    const xml = xmlOf({
      RULE: { 'A|R': { SRC_IP: '10.0.0.0/8', PRIORITY: '1' } },
      MAP: { M: { 0: '1' } },
      META: { localhost: { mac: '<&>\n' } },
      PORT: { e: { adv_speeds: '1, 2' } },
    });
    expect(xml.split('\n')).toEqual([
      '<sonic-a xmlns="urn:sonic-a">',
      '<RULE>',
      '<RULE_LIST>',
      '<TABLE>A</TABLE>',
      '<NAME>R</NAME>',
      '<SRC_IP>10.0.0.0/8</SRC_IP>',
      '<PRIORITY>1</PRIORITY>',
      '</RULE_LIST>',
      '</RULE>',
      '<MAP>',
      '<MAP_LIST>',
      '<name>M</name>',
      '<MAP><dscp>0</dscp><tc>1</tc></MAP>',
      '</MAP_LIST>',
      '</MAP>',
      '<META>',
      '<localhost>',
      '<mac>&lt;&amp;&gt;&#10;</mac>',
      '</localhost>',
      '</META>',
      '<PORT>',
      '<PORT_LIST>',
      '<name>e</name>',
      '<adv_speeds>1</adv_speeds>',
      '<adv_speeds>2</adv_speeds>',
      '</PORT_LIST>',
      '</PORT>',
      '</sonic-a>',
      '',
    ]);
  });

  test('selects the list by the parts of the key', () => {
    const { rows } = translate({ NET: { e: {}, 'e|fd00::1/64': {} } }, index);
    expect(rows.map(({ node, keyValues }) => [node, ...keyValues])).toEqual([
      ['NET_LIST', 'e'],
      ['NET_IPPREFIX_LIST', 'e', 'fd00::1/64'],
    ]);
  });

  test('drops the empty text that stands for an empty list, and a field that repeats the key', () => {
    expect(xmlOf({ PORT: { e: { adv_speeds: [''], name: 'e' } } })).not.toContain('adv_speeds');
  });

  test.each([
    ['an unknown field', { PORT: { e: { x: '1' } } }, 'x: there is no such field in PORT; leave it out'],
    [
      'a field spelt wrong',
      { PORT: { e: { adv_sped: '1' } } },
      'adv_sped: there is no such field in PORT; did you mean adv_speeds?',
    ],
    ['a key of too many parts', { PORT: { 'e|f': {} } }, 'the key does not fit the model: write "<name>"'],
    ['a row of another name', { META: { Localhost: {} } }, 'the key does not fit the model: write "localhost"'],
    [
      'a field that contradicts the key',
      { PORT: { e: { name: 'f' } } },
      'name: is a part of the key, which says something else; leave it out',
    ],
    ['a list for one text', { NET: { e: { zone: ['1'] } } }, 'zone: takes one text, not a list'],
    [
      'a control character in a value',
      { NET: { e: { zone: '\u001B' } } },
      'zone: holds U+001B, which no text of a model may; leave it out',
    ],
    [
      'half a character in a key',
      { NET: { '\uD83D': {} } },
      'the key holds U+D83D, which no text of a model may; leave it out',
    ],
    [
      'a control character in a map',
      { MAP: { M: { '\u0000': '1' } } },
      'the name of a field holds U+0000; leave it out',
    ],
  ])('reports %s', (_what, configDb, words) => {
    const { findings } = translate(configDb, index);
    expect(findings.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`))).toContain(
      words,
    );
  });

  test('names the tables that have no model, those with the names of every object too', () => {
    expect(translate({ toString: {}, NOT_A_TABLE: {}, PORT: {} }, index).unmodelled).toEqual([
      'toString',
      'NOT_A_TABLE',
    ]);
  });
});

describe('an error of libyang', () => {
  test.each([
    [
      'libyang[0]: Bad value "a (b)". (path: Data location "/a:a/T[k=\'v\']/f", line number 7.)\nYANGLINT[E]: Failed.',
      { message: 'Bad value "a (b)".', dataPath: "/a:a/T[k='v']/f", schemaPath: undefined, line: 7 },
    ],
    [
      'libyang err : Mandatory node "x" instance does not exist. (Schema location "/a:a/T/x".)',
      {
        message: 'Mandatory node "x" instance does not exist.',
        dataPath: undefined,
        schemaPath: '/a:a/T/x',
        line: undefined,
      },
    ],
    [
      'YANGLINT[W]: hm\nlibyang[0]: two\nlines (path: Line number 3.)\nlibyang[0]: more',
      { message: 'two\nlines', dataPath: undefined, schemaPath: undefined, line: 3 },
    ],
    [
      'Segmentation fault',
      { message: 'Segmentation fault', dataPath: undefined, schemaPath: undefined, line: undefined },
    ],
  ])('is read: %s', (complaint, expected) => {
    expect(parseLibyangError(complaint)).toEqual(expected);
  });

  const { rows } = translate(
    {
      NET: { "it's": {}, 'a]/b': {}, 'e|10.0.0.1/8': {}, 'f|2001:DB8::1/64': { scope: 'x' }, '010': {} },
      META: { localhost: { mac: 'x' } },
      MAP: { M: { 1: '2', 3: '4' } },
    },
    index,
  );
  const placeOf = (dataPath: string): readonly unknown[] => {
    const error = { message: '', dataPath, schemaPath: undefined, line: undefined };
    const place = placeOfError(error, rows, instanceXml(rows, new Set()));
    return place === undefined ? [] : [place.row.key, place.field, place.value];
  };
  test.each([
    [`/sonic-a:sonic-a/NET/NET_LIST[name="it's"]`, ["it's", undefined, undefined]],
    ["/sonic-a:sonic-a/NET/NET_LIST[name='a]/b']/name", ['a]/b', 'name', 'a]/b']],
    [
      "/sonic-a:sonic-a/NET/NET_IPPREFIX_LIST[name='e'][ip-prefix='10.0.0.0/8']/ip-prefix",
      ['e|10.0.0.1/8', 'ip-prefix', '10.0.0.1/8'],
    ],
    [
      "/sonic-a:sonic-a/NET/NET_IPPREFIX_LIST[name='f'][ip-prefix='2001:db8::/64']/scope",
      ['f|2001:DB8::1/64', 'scope', 'x'],
    ],
    ["/sonic-a:sonic-a/NET/NET_LIST[name='10']/name", ['010', 'name', '010']],
    ['/sonic-a:sonic-a/META/localhost/mac', ['localhost', 'mac', 'x']],
    ["/sonic-a:sonic-a/MAP/MAP_LIST[name='M']/MAP[dscp='3']/tc", ['M', '3', '4']],
    ["/sonic-a:sonic-a/NET/NET_LIST[name='gone']", []],
    ['/', []],
  ])('is placed without a line: %s', (path, expected) => {
    expect(placeOf(path)).toEqual(expected);
  });
});
