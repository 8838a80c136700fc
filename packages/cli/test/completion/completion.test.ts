import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, startApi, type TestApi } from '../api-kit.ts';
import { UUID_1, UUID_2, UUID_3 } from '../rack.ts';

const LAUNCHER = fileURLToPath(new URL('../../../../bin/ingot', import.meta.url));
const PATIENCE_MS = 60_000;

let api: TestApi;
let home: string;
beforeAll(async () => {
  api = await startApi();
  home = await mkdtemp(join(tmpdir(), 'ingot-complete-'));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** The words that are offered behind these. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const { status, stdout, stderr } = await api.run('__complete', ...words);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split('\t')[0] ?? '');
}

test.each([
  [['mach'], ['machine']],
  [['machine', 'un'], ['unlock']],
  [['machine', 'ls', '--no-h'], ['--no-headers']],
  [
    ['machine', 'ls', '-o', ''],
    ['table', 'wide', 'json', 'yaml', 'template'],
  ],
  [['machine', 'ls', '--output=y'], ['--output=yaml']],
  [['machine', 'power', UUID_1, 'p'], ['pxe']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['bmc', 'com'], ['command']],
  [['nonsense', 'x'], []],
  [
    ['tenant', 'member', ''],
    ['ls', 'add', 'update', 'rm'],
  ],
])('behind %j stands %j', async (words, expected) => {
  expect(await offered(...words)).toEqual(expected);
});

test('ids come from the API server, by what the argument or the option is', async () => {
  expect((await offered('machine', 'describe', '')).toSorted()).toEqual([UUID_1, UUID_2, UUID_3]);
  expect(await offered('machine', 'describe', '1111')).toEqual([UUID_3]);
  expect((await offered('switch', 'migrate', 'leaf01', '')).toSorted()).toEqual(['leaf01', 'leaf02', 'leaf10']);
  expect(await offered('bmc', 'command', '1111')).toEqual([UUID_3]);
  expect(await offered('machine', 'describe', '--context', 'none', '1111')).toEqual([]);
});

test('without an answer there is silence', async () => {
  const env = {
    INGOT_API_URL: 'https://127.0.0.1:1',
    INGOT_API_CA_FILE: api.caFile,
    INGOT_API_TOKEN_FILE: api.tokenFile,
  };
  expect(await run(['__complete', 'machine', 'describe', ''], env)).toEqual({
    status: 0,
    stdout: 'words\n',
    stderr: '',
  });
  expect(await run(['__complete', 'machine', 'describe', ''])).toEqual({ status: 0, stdout: 'words\n', stderr: '' });
  const never = {
    clock: {
      now: () => 0,
      monotonic: () => 0,
      sleep: () => Promise.resolve(),
      setTimeout: noTimer,
      setInterval: noTimer,
    },
  };
  const { stdout } = await run(['__complete', 'machine', 'describe', ''], { ...env, INGOT_API_URL: api.url }, never);
  expect(stdout).toBe('words\n');
});

function noTimer(): never {
  throw new Error('not used here');
}

test('files are the shell’s to complete', async () => {
  expect((await api.run('__complete', 'apply', '-f', '')).stdout).toBe('files\n');
});

/** What bash offers for a line, with the script sourced in a shell of its own. */
async function inBash(line: string): Promise<string[]> {
  const bin = join(home, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'ingot'), `#!/bin/sh\nexec ${LAUNCHER} "$@"\n`);
  await chmod(join(bin, 'ingot'), 0o755);
  const script = [
    'source <(ingot completion bash)',
    'COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}',
    // As readline splits it, at blanks and at the characters of COMP_WORDBREAKS.
    'read -r -a COMP_WORDS <<<"$COMP_LINE"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))',
    'compopt() { echo "compopt $*" >&2; }',
    '_ingot; printf "%s\\n" "${COMPREPLY[@]}"; complete -p ingot >&2',
  ].join('\n');
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', script, 'bash', line], {
    env: {
      PATH: `${bin}:/usr/bin:/bin`,
      HOME: home,
      INGOT_API_URL: api.url,
      INGOT_API_CA_FILE: api.caFile,
      INGOT_API_TOKEN_FILE: api.tokenFile,
    },
  });
  expect(stderr).toContain('complete -F _ingot ingot');
  return stdout.split('\n').filter(Boolean);
}

test('bash completes commands, ids and values behind an equals sign', { timeout: PATIENCE_MS }, async () => {
  expect(await inBash('ingot machine unl')).toEqual(['unlock']);
  expect(await inBash('ingot machine describe 1111')).toEqual([UUID_3]);
  // Bash has cut the word at the sign, and replaces only what is behind it.
  expect(await inBash('ingot machine ls --output=y')).toEqual(['yaml']);
});

test.each(['zsh', 'fish'])('the script for %s is one, as far as that shell is here to say', async (shell) => {
  const { stdout } = await run(['completion', shell]);
  expect(stdout).toContain('__complete');
  const file = join(home, `ingot.${shell}`);
  await writeFile(file, stdout);
  try {
    execFileSync(shell, ['-n', file], { stdio: 'pipe' });
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOENT' });
  }
});
