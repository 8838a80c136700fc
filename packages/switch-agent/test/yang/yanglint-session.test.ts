import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { MockClock, systemClock, type Clock } from '@ingot/net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openYangModels, type YangModels } from '../../src/yang/yang-models.ts';
import { miniModels } from './models.ts';

/** A program of the name that answers `--version`, and to everything else does what a test says, in shell. */
function program(version: string, script: string): string {
  return `#!/bin/sh\nif [ "$1" = --version ]; then ${version}; exit; fi\n${script}\n`;
}

const GOOD = "echo 'yanglint 2.1.30'";

// Says the marks that follow each command, as yanglint does of a command that it does not know, and prints no file.
const TREE =
  'module: mini-port\n  +--rw mini-port\n     +--rw PORT\n        +--rw PORT_LIST* [name]\n           +--rw name    string\n';
const shell = (cases: string, tree = TREE): string => `while read -r command; do case $command in
  end-of-answer-*) echo "YANGLINT[E]: Unknown command \\"$command\\", type 'help' for more information." >&2;;
  'print -f tree'*) printf '${tree.replaceAll('\n', String.raw`\n`)}' > tree;;
  ${cases}
esac; done`;

describe('yanglint', () => {
  const stop = new AbortController();
  let bin = '';
  beforeEach(async () => {
    bin = await mkdtemp(join(tmpdir(), 'ingot-fake-'));
    // Before the real one; the shell's own programs stay.
    vi.stubEnv('PATH', [bin, '/usr/bin', '/bin'].join(delimiter));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(bin, { recursive: true, force: true });
  });

  const open = async (script: string | undefined, clock: Clock = systemClock): Promise<YangModels> => {
    if (script === undefined) vi.stubEnv('PATH', bin);
    else {
      await writeFile(join(bin, 'yanglint'), script);
      await chmod(join(bin, 'yanglint'), 0o755);
    }
    await using models = await miniModels();
    return await openYangModels({ modelsDir: models.folder, clock, signal: stop.signal });
  };

  test.each([
    ['is missing', undefined, /not installed: apt-get install libyang2-tools/],
    ['is too old', program("echo 'yanglint 1.0.240'", ''), /yanglint 1.0.240 is too old: 2.1 or newer/],
    ['is another program', program("echo 'hello'", ''), /does not tell its version/],
    ['fails at once', program('exit 3', ''), /does not tell its version/],
    [
      'dies',
      program(GOOD, 'echo "libyang err : out of memory" >&2; exit 3'),
      /yanglint ended \(status 3\): libyang err : out of memory/,
    ],
    ['is killed', program(GOOD, 'kill -9 $$'), /yanglint ended \(SIGKILL\)/],
    ['complains without end', program(GOOD, 'while :; do printf %4096s x >&2; done'), /complains without end/],
  ])('that %s is an error which says so', async (_what, script, words) => {
    await expect(open(script)).rejects.toMatchObject({
      code: 'SWITCH_YANGLINT',
      message: expect.stringMatching(words),
    });
  });

  test('that hangs is given up', async () => {
    const clock = new MockClock();
    const opening = open(program(GOOD, 'cat > /dev/null'), clock);
    const failed = expect(opening).rejects.toMatchObject({
      code: 'SWITCH_YANGLINT',
      message: 'yanglint gave no answer within 60 s: verb error',
    });
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1), { timeout: 20_000 });
    await clock.advance(60_000);
    await failed;
  });

  test('that says nothing has not accepted anything', async () => {
    await using models = await open(program(GOOD, shell('data*) : > accepted.xml;;')));
    expect([...models.index.keys()]).toEqual(['PORT']);
    await expect(models.check('<x/>')).rejects.toThrow('neither takes the configuration nor says what is wrong');
  });

  test('that dies later is an error then, and ever after', async () => {
    await using models = await open(program(GOOD, shell('data*) exit 7;;')));
    await expect(models.check('<x/>')).rejects.toThrow('yanglint ended (status 7)');
    await expect(models.check('<x/>')).rejects.toThrow('yanglint ended (status 7)');
  });

  test('whose models describe no table is an error of the models', async () => {
    await expect(open(program(GOOD, shell('x) ;;', 'module: mini-port')))).rejects.toMatchObject({
      code: 'SWITCH_YANG_MODELS',
      message: expect.stringContaining('describe no table of CONFIG_DB'),
    });
  });
});
