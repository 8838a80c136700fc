import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readModelFiles } from '../../src/yang/model-files.ts';
import { renderTemplate } from '../../src/yang/template.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-models-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};
const module = (name: string): string => `module ${name} {\n  namespace "urn:${name}";\n  prefix p;\n}\n`;

test('finds the models of a switch, and those of the sources', async () => {
  await put('sonic-b.yang', module('sonic-b'));
  await put('yang-models/sonic-a.yang', 'module sonic-a {\n  namespace urn:a;\n}');
  await put('yang-templates/sonic-c.yang.j2', module('sonic-c'));
  await put('README', '');
  await put('-i.yang', module('x'));
  await put('two words.yang', module('x'));
  const models = await readModelFiles(folder);
  expect(models.map(({ module: name, namespace }) => [name, namespace])).toEqual([
    ['sonic-a', 'urn:a'],
    ['sonic-b', 'urn:sonic-b'],
    ['sonic-c', 'urn:sonic-c'],
  ]);
});

test('takes the rendered one of a model that is there as a template too', async () => {
  await put('yang-templates/sonic-a.yang.j2', '{{ what }}');
  await put('yang-models/sonic-a.yang', module('sonic-a'));
  expect(await readModelFiles(folder)).toHaveLength(1);
});

test.each([
  ['no folder', async () => rm(folder, { recursive: true }), /cannot be read \(ENOENT/],
  ['an empty folder', async () => undefined, /holds no YANG models; a switch has SONiC's in \/usr\/local\/yang-models/],
  ['a model without a namespace', () => put('a.yang', 'hello'), /a\.yang is no YANG module/],
  [
    'a template of something else',
    () => put('a.yang.j2', 'module a {\n{% for x in y %}'),
    /a\.yang\.j2:2: .*\{% for x in y %\}/,
  ],
  ['a model of 5 MiB', () => put('a.yang', ' '.repeat(5 * 2 ** 20)), /too many for a YANG model/],
])('refuses %s', async (_what, prepare, words) => {
  await prepare();
  await expect(readModelFiles(folder)).rejects.toMatchObject({
    code: 'SWITCH_YANG_MODELS',
    message: expect.stringMatching(words),
  });
});

test('takes the else branches of a template', () => {
  const template = 'a\n{% if yang_model_type == "cvl" %}\nno $1\n{%- else -%}\nyes $&\n{% endif %}\nb';
  expect(renderTemplate(template)).toEqual({ ok: true, text: 'a\n\nyes $&\n\nb' });
});
