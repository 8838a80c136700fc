import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from './api-kit.ts';

const LAUNCHER = fileURLToPath(new URL('../../../bin/ingot', import.meta.url));
const PATIENCE_MS = 60_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-launcher-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function launch(file: string, ...argv: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    // A bare environment: the launcher may not lean on what a shell happens to set.
    const child = execFile(file, argv, { env: { PATH: '/usr/bin:/bin', HOME: folder } }, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? undefined, stdout, stderr });
    });
  });
}

test('bin/ingot works through a link, from anywhere', { timeout: PATIENCE_MS }, async () => {
  const link = join(folder, 'ingot');
  await symlink(LAUNCHER, link);
  const { status, stdout, stderr } = await launch(link, '--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^Usage: ingot /);
});

test("everything behind the name of a part is the part's own, --help included", { timeout: PATIENCE_MS }, async () => {
  const { status, stdout } = await launch(LAUNCHER, 'switch-agent', '--help');
  expect(status).toBe(0);
  expect(stdout).toContain('INGOT_SWITCH_AGENT_PARTITION');
});

test('what comes late on a pipe is waited for', { timeout: PATIENCE_MS }, async () => {
  const late = `{ sleep 1; echo 'kind: size'; sleep 1; echo 'id: [c1'; } | "${LAUNCHER}" apply -f -`;
  const { status, stderr } = await launch('/bin/sh', '-c', late);
  expect(stderr).toMatch(/^ingot: standard input:\d+: Flow sequence/);
  expect(status).toBe(2);
});

test('a list that is watched ends when its reader has left, without a change', { timeout: PATIENCE_MS }, async () => {
  const watch = `"${LAUNCHER}" context ls --watch --interval 1h; echo "status $?" >&2`;
  const { stdout, stderr } = await launch('/bin/sh', '-c', `{ ${watch}; } | head -n 1`);
  expect(stdout).toMatch(/^AT +CHANGE/);
  expect(stderr).toBe('status 130\n');
});

test('without set-up, bin/ingot says what to run', async () => {
  await mkdir(join(folder, 'fresh/bin'), { recursive: true });
  const copy = join(folder, 'fresh/bin/ingot');
  await copyFile(LAUNCHER, copy);
  const { status, stdout, stderr } = await launch(copy, 'machine', 'ls');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('fresh is not set up yet: run "npm start" there once');
});
