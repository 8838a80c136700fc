import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, run } from './api-kit.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-contexts-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const file = (): string => join(home, '.config/ingot/config.yaml');
const ingot = (...argv: readonly string[]): Promise<Answer> =>
  run(argv, {}, { home, labConfigFile: join(home, 'lab.yaml') });
const FLAGS = ['--ca-file', '/etc/ca.pem', '--token-file', '/etc/token'];

test('contexts are written down, chosen, changed and forgotten', async () => {
  expect((await ingot('context', 'set', 'prod', '--url', 'https://prod:9443', ...FLAGS)).stdout).toBe(
    'context prod created\n',
  );
  await ingot('context', 'set', 'test', '--url', 'https://test:9443', ...FLAGS);
  expect((await ingot('context', 'ls')).stdout).toBe(
    '    NAME   API SERVER\n*   prod   https://prod:9443\n    test   https://test:9443\n',
  );
  expect((await ingot('context', 'use', 'test')).stdout).toBe('context test is the current one\n');
  expect((await ingot('context', 'current')).stdout).toBe('test\n');
  await ingot('context', 'set', 'test', '--url', 'https://other:9443');
  expect(JSON.parse((await ingot('context', 'ls', '-o', 'json')).stdout)).toMatchObject([
    { name: 'prod', current: false },
    { name: 'test', apiUrl: 'https://other:9443', apiCaFile: '/etc/ca.pem', current: true },
  ]);
  await ingot('context', 'rm', 'test');
  expect(await ingot('context', 'current')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('context use'),
  });
  expect((await ingot('context', 'use', 'prd')).stderr).toContain('did you mean prod');
});

test('comments and what else is in the file stay', async () => {
  await ingot('context', 'set', 'prod', '--url', 'https://prod:9443', ...FLAGS);
  writeFileSync(file(), `# mine\n${readFileSync(file(), 'utf8')}`);
  await ingot('context', 'set', 'test', '--url', 'https://test:9443', ...FLAGS);
  expect(readFileSync(file(), 'utf8')).toMatch(/^# mine\n/);
});

test('a new context is written down whole, and a lab’s is not the user’s to choose for good', async () => {
  expect(await ingot('context', 'set', 'prod', '--url', 'https://prod:9443')).toMatchObject({ status: 2 });
  writeFileSync(
    join(home, 'lab.yaml'),
    'currentContext: lab\ncontexts: [{ name: lab, apiUrl: https://lab:9443, apiCaFile: a, apiTokenFile: b }]\n',
  );
  expect((await ingot('context', 'ls', '--no-headers')).stdout).toBe('*   lab   https://lab:9443\n');
  expect((await ingot('context', 'use', 'lab')).stderr).toContain('use --context lab or INGOT_CONTEXT');
});

test('a configuration that is no YAML is left alone', async () => {
  await ingot('context', 'set', 'prod', '--url', 'https://prod:9443', ...FLAGS);
  writeFileSync(file(), 'contexts: [');
  expect(await ingot('context', 'set', 'x', '--url', 'https://x:9443', ...FLAGS)).toMatchObject({ status: 2 });
  expect(readFileSync(file(), 'utf8')).toBe('contexts: [');
});
