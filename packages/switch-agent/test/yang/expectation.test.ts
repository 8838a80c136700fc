import { expect, test } from 'vitest';
import { parseCompiledNode } from '../../src/yang/compiled-node.ts';
import { expectation, referredTables } from '../../src/yang/expectation.ts';

const typeOf = (text: string) => {
  const statement = parseCompiledNode(text);
  if (statement === undefined) throw new Error('no statement');
  return statement;
};

test.each([
  ['type enumeration { enum "up" { value 0; } enum "down" { value 1; } }', 'up or down'],
  ['type boolean;', 'true or false'],
  ['type uint16 { range "1..4094"; }', 'a number of 1 to 4094'],
  ['type uint32 { range "0 | 5..300"; }', 'a number of 0 or 5 to 300'],
  ['type int8;', 'a number of -128 to 127'],
  ['type string;', undefined],
  ['type string { length "1..15"; }', 'a text of 1 to 15 characters'],
  ['type string { pattern "rs|fc|none|auto"; }', 'rs, fc, none or auto'],
  ['type string { pattern ""; }', '""'],
  [String.raw`type string { pattern "Vlan([2-9]|[1-9][0-9]{1,3})"; }`, 'something like Vlan100'],
  [String.raw`type string { pattern "[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+/[0-9]+"; }`, 'something like 192.0.2.1/24'],
  ['type string { pattern "[^ #]*"; }', 'a text that [^ #]* matches'],
  ['type string { pattern "[a-z0-9.-]+"; }', 'something like example.org'],
  ['type string { pattern "("; }', 'a text that ( matches'],
  [
    'type union { type leafref { path "/p:a/p:PORT/p:PORT_LIST/p:name"; } type leafref { path "../../LAG_LIST[x=1]/name"; } type string { pattern "all"; } }',
    'the name of a row of PORT or LAG, or all',
  ],
  ['type decimal64 { fraction-digits 2; }', 'decimal64'],
])('%s takes %s', (text, words) => {
  expect(expectation(typeOf(text))).toBe(words);
});

test('a leafref refers to its table, seen from the top or from below', () => {
  expect(referredTables(typeOf('type leafref { path "/v:sonic-v/v:VRF/v:VRF_LIST/v:name"; }'))).toEqual(['VRF']);
  expect(referredTables(typeOf('type leafref { path "../../../BGP/BGP_LIST/name"; }'))).toEqual(['BGP']);
});

test('a list of many words is cut', () => {
  const words = Array.from({ length: 40 }, (_, index) => `w${index}`);
  expect(expectation(typeOf(`type string { pattern "${words.join('|')}"; }`))).toMatch(/^one of w0, .* w11 …$/);
});

test.each(['', '{', '}', 'a "', '};};'])('a broken statement is no trouble: %s', (text) => {
  expect(() => parseCompiledNode(text)).not.toThrow();
});
