import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { validateCommand } from '../../src/validate-command.ts';
import { miniModels, whySkipped } from '../yang/models.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const skipped = whySkipped(false);

describe.skipIf(skipped !== undefined)(`ingot-switch validate${skipped === undefined ? '' : `: ${skipped}`}`, () => {
  let folder = '';
  let stack: AsyncDisposableStack;
  let models = '';
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    folder = await mkdtemp(join(tmpdir(), 'ingot-validate-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    models = stack.use(await miniModels()).folder;
    vi.stubEnv('TMPDIR', folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    return stack.disposeAsync();
  });

  /** In this process; files are named as if it stood in the folder. */
  const run = async (...args: readonly string[]) => {
    const printed = { out: '', err: '' };
    const exitCode = await validateCommand(
      args.map((arg) => (arg.endsWith('.json') ? join(folder, arg) : arg)),
      {
        out: (text) => {
          printed.out += text.replaceAll(`${folder}/`, '');
        },
        err: (text) => {
          printed.err += text;
        },
        env: { INGOT_YANG_MODELS: models },
        signal: new AbortController().signal,
      },
    );
    return { exitCode, ...printed };
  };
  const start = (args: readonly string[], options: { readonly input: string } | { readonly path: string }) =>
    execa(process.execPath, [MAIN, 'validate', ...args], {
      reject: false,
      cwd: folder,
      env: { INGOT_YANG_MODELS: models, TMPDIR: folder, ...('path' in options && { PATH: options.path }) },
      ...('input' in options && { input: options.input }),
    });
  const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

  test('tells a valid file from another, with the line of each problem', async () => {
    await put('good.json', '{"PORT": {"Ethernet0": {"lanes": "1"}}, "EXTRA": {"a": {}}}');
    await put('bad.json', '{\n  "PORT": {\n    "Ethernet0": {\n      "lanes": "1",\n      "mtu": "1"\n    }\n  }\n}');
    const good = await run('good.json');
    expect(good).toMatchObject({ exitCode: 0, err: '' });
    expect(good.out.trim().split('\n')).toEqual([
      'good.json:1:41: warning: EXTRA: no YANG model describes this table, so its rows are not checked',
      'good.json: valid, 1 warning',
    ]);
    expect(await run('--strict-tables', 'good.json')).toMatchObject({ exitCode: 1 });
    const both = await run('good.json', 'bad.json');
    expect(both.exitCode).toBe(1);
    expect(both.out.trim().split('\n').slice(2)).toEqual([
      'bad.json:5:7: PORT|Ethernet0 mtu: "1" does not fit; write a number of 68 to 9216',
      'bad.json: not valid, 1 error',
    ]);
    expect((await readdir(folder)).toSorted()).toEqual(['bad.json', 'good.json']);
  });

  test('reads standard input, and prints for programs', async () => {
    const { exitCode, stdout } = await start(['--json', '-'], { input: '{"PORT": {"Ethernet0": {}}}' });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      { file: '-', isValid: false, isComplete: true, findings: [{ table: 'PORT', key: 'Ethernet0', field: 'lanes' }] },
    ]);
  });

  test.each([
    ['a truncated file', '{"PORT": {"Ether', /not JSON/],
    ['an empty file', '', /not JSON: it is empty/],
    [
      'a key that stands twice',
      '{"PORT": {"Ethernet0": {"lanes": "1"}, "Ethernet0": {"lanes": "2"}}}',
      /stands here a second time/,
    ],
    ['a boolean', '{"PORT": {"Ethernet0": {"lanes": true}}}', /write "true" in quotes/],
    ['a hundred thousand brackets', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /write an object of tables/],
    [
      'a hundred thousand objects',
      `{"PORT":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      /PORT\|a a: write a text or a list/,
    ],
  ])('refuses %s', async (_what, text, words) => {
    await put('a.json', text);
    const { exitCode, out } = await run('a.json');
    expect(out).toMatch(words);
    expect(exitCode).toBe(1);
  });

  test.each([
    ['no file', [], /which file\?/],
    ['an unknown option', ['--strict', 'a.json'], /Unknown option '--strict'/],
    ['a file that is not there', ['none.json'], /none\.json cannot be read: ENOENT/],
    ['a folder', ['/'], /\/ cannot be read: EISDIR/],
    ['an endless file', ['/dev/zero'], /more than 32 MiB/],
    ['no models', ['--yang-models', '/none', 'a.json'], /\/none.*; --yang-models names another folder/],
  ])('gives up on %s, and says why', async (_what, args, words) => {
    const { exitCode, err } = await run(...args);
    expect(err).toMatch(words);
    expect(exitCode).toBe(2);
  });

  test('stops at a signal, and leaves no program and no file', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const script =
      '#!/bin/sh\n[ "$1" = --version ] && { echo yanglint 2.1.30; exit; }\necho $$ > pid\nexec cat > /dev/null\n';
    await writeFile(join(bin, 'yanglint'), script);
    await chmod(join(bin, 'yanglint'), 0o755);
    await put('good.json', '{}');
    const running = start(['good.json'], { path: `${bin}:/usr/bin:/bin` });
    await vi.waitFor(
      async () => {
        const inside = (await readdir(folder)).find((name) => name.startsWith('ingot-yang-'));
        expect(await readdir(join(folder, inside ?? ''))).toContain('pid');
      },
      { timeout: 20_000 },
    );
    running.kill('SIGTERM');
    expect(await running).toMatchObject({ exitCode: 2, stderr: 'ingot-switch validate: stopped by SIGTERM' });
    expect((await readdir(folder)).toSorted()).toEqual(['bin', 'good.json']);
  });
});
