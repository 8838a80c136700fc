import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseYamlDocument } from '../src/yaml-document.ts';

const schema = z.object({
  number: z.string(),
  list: z.array(z.object({ name: z.string() })).optional(),
  names: z.record(z.string(), z.string()).optional(),
});
const parse = (text: string) => parseYamlDocument('f.yaml', text, schema, { asTexts: true });

test('as texts: scalars stay as they are written, and empty ones are not there', () => {
  const document = parse('number: 0010\nlist:\nnames: {a: off, b: ~, c: null, d: 1e3, e: "null "}\n');
  expect(document.ok && document.value).toEqual({ number: '0010', names: { a: 'off', d: '1e3', e: 'null ' } });
});

test('as texts: mappings merge, and places are found all the same', () => {
  const document = parse('names: &all\n  a: b\nnumber: 1\nlist:\n  -\n    name: x\n');
  expect(document.ok && document.locate(['list', 0, 'name'])).toBe('f.yaml:6:11');
  const merged = parse('number: 1\nlist:\n  - &one\n    name: x\n  - <<: *one\n');
  expect(merged.ok && merged.value.list).toEqual([{ name: 'x' }, { name: 'x' }]);
});

test('as texts: an empty file is an empty mapping, and an empty item of a list is named', () => {
  expect(parse('')).toEqual({ ok: false, problems: ['f.yaml:1:1: number: write a text'] });
  expect(parse('number: 1\nlist:\n  -\n')).toMatchObject({ ok: false, problems: [expect.stringContaining('list[0]')] });
});

test('without it numbers are numbers', () => {
  expect(parseYamlDocument('f.yaml', 'number: 0010', schema)).toEqual({
    ok: false,
    problems: ['f.yaml:1:9: number: write a text'],
  });
});
