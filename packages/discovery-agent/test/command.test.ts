import { expect, test } from 'vitest';
import { runCommand } from '../src/command.ts';

const shell = (script: string): Promise<string> => runCommand('sh', ['-c', script], { timeoutMs: 10_000 });

test('the reason is what a program says last', async () => {
  await expect(shell('echo working; echo warning >&2; echo "no such device" >&2; exit 1')).rejects.toThrow(
    /: no such device$/,
  );
});

test('the reason is not how a program wants to be called', async () => {
  const nvme = `printf '/dev/nvme0n1: Permission denied\\n\\033[1mUsage: nvme smart-log <device>\\033[0m\\n\\n  [ -o ]\\n' >&2; exit 1`;
  await expect(shell(nvme)).rejects.toThrow(/: \/dev\/nvme0n1: Permission denied$/);
});

test('a program that is missing, or says nothing, is named nevertheless', async () => {
  await expect(runCommand('ingot-no-such-program', [], { timeoutMs: 10_000 })).rejects.toThrow(
    /^ingot-no-such-program is not installed$/,
  );
  await expect(shell('exit 3')).rejects.toThrow(/exit code 3/);
});
