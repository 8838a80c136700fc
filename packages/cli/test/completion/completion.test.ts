import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
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

/** Where a shell started with this finds `ingot`, and `ingot` the API server. */
async function surroundings(): Promise<NodeJS.ProcessEnv> {
  const bin = join(home, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'ingot'), `#!/bin/sh\nexec ${LAUNCHER} "$@"\n`);
  await chmod(join(bin, 'ingot'), 0o755);
  return {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: home,
    TERM: 'dumb',
    INGOT_API_URL: api.url,
    INGOT_API_CA_FILE: api.caFile,
    INGOT_API_TOKEN_FILE: api.tokenFile,
  };
}

/** What bash offers for a line, with the script sourced in a shell of its own. */
async function inBash(line: string): Promise<string[]> {
  const script = [
    'source <(ingot completion bash)',
    'COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}',
    // As readline splits it, at blanks and at the characters of COMP_WORDBREAKS.
    'read -r -a COMP_WORDS <<<"$COMP_LINE"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))',
    'compopt() { echo "compopt $*" >&2; }',
    '_ingot; printf "%s\\n" "${COMPREPLY[@]}"; complete -p ingot >&2',
  ].join('\n');
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', script, 'bash', line], {
    env: await surroundings(),
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

/** What fish offers for a line, with its descriptions cut off. */
async function inFish(line: string): Promise<string[]> {
  const script = 'source (ingot completion fish | psub); complete -C $argv[1]';
  const { stdout } = await promisify(execFile)('fish', ['-N', '-c', script, line], { env: await surroundings() });
  return stdout.split('\n').flatMap((offer) => (offer === '' ? [] : [offer.split('\t')[0] ?? '']));
}

test.skipIf(!isInstalled('fish'))('fish completes commands, ids and files', { timeout: PATIENCE_MS }, async () => {
  expect(await inFish('ingot machine unl')).toEqual(['unlock']);
  expect(await inFish('ingot machine describe 1111')).toEqual([UUID_3]);
  expect(await inFish(`ingot apply -f ${home}/bi`)).toEqual([`${home}/bin/`]);
});

/** Types into an interactive zsh, with the tab key at the end, until the line reads as wanted; fails by its time limit. */
async function inZsh(typed: string, wanted: string): Promise<void> {
  const script = [
    'zmodload zsh/zpty',
    'zpty -b shell zsh -f -i',
    // The words that say that it is ready are not among those that are typed, and come back as an echo.
    'zpty -w shell "autoload -U compinit; compinit -u -D; source <(ingot completion zsh); echo re\'\'ady"',
    "zpty -r shell said '*ready*'",
    'zpty -w -n shell "$1"$\'\\t\'',
    'zpty -r shell said "*$2*"',
    'zpty -d shell',
  ].join('\n');
  await promisify(execFile)('zsh', ['-f', '-c', script, 'zsh', typed, wanted], {
    env: await surroundings(),
    timeout: PATIENCE_MS / 3,
  });
}

test.skipIf(!isInstalled('zsh'))('zsh completes commands and ids', { timeout: PATIENCE_MS }, async () => {
  await inZsh('ingot machine unl', 'ingot machine unlock ');
  await inZsh('ingot machine describe 1111', `ingot machine describe ${UUID_3} `);
});

/** Those who work on something else need no shell that they do not use; `npm test` installs both. */
function isInstalled(shell: string): boolean {
  return existsSync(`/usr/bin/${shell}`);
}
