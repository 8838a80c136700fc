import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { publishedFiles } from '../../src/published/published-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'published-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, 'root');
mkdirSync(join(root, 'sub'), { recursive: true });
mkdirSync(join(folder, 'ipxe'));
for (const name of ['secret', 'root/file', 'root/sub/file', 'ipxe/beside.efi', 'ipxe/own.efi'])
  writeFileSync(join(folder, name), name);
symlinkSync('loop', join(root, 'loop'));
const files = publishedFiles({ directory: join(folder, 'ipxe'), binaries: ['own.efi'], root, loaders: {} });

it.each([
  ['own.efi', 'ipxe/own.efi', true],
  ['beside.efi', 'ipxe/beside.efi', true],
  ['file', 'root/file', false],
  ['sub/file', 'root/sub/file', false],
])('%s is published', (name, path, isLoader) => {
  expect(files.find(name)).toMatchObject({ uri: pathToFileURL(join(folder, path)).href, isLoader });
});

// The artifact store would refuse them as well: here they are not even looked for.
it.each([
  '../secret',
  'sub/../../secret',
  'sub/../file',
  './file',
  '/file',
  'sub//file',
  'sub\\..\\file',
  'file\0',
  'file\n',
  '',
  '..',
  'sub',
  '../ipxe/own.efi',
])('%j is no name of anything', (name) => {
  expect(files.find(name)).toBeUndefined();
});

it.each(['x'.repeat(300), 'file/behind', 'loop'])('%s is none, and no bug', (name) => {
  expect(files.find(name)).toBeUndefined();
});
