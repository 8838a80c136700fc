import { execa } from 'execa';
import { LabError } from './errors.ts';

/** Runs a short command to its end; throws LAB_COMMAND_FAILED with its own words. Never goes through a shell. */
export async function run(file: string, args: readonly string[], input?: string): Promise<string> {
  const result = await execa(file, args, {
    reject: false,
    timeout: 60_000,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  if (result.failed) {
    const words = `${result.stderr} ${result.stdout}`.trim() || result.message || `status ${result.exitCode}`;
    throw new LabError('LAB_COMMAND_FAILED', `${[file, ...args].join(' ')}: ${words}`);
  }
  return result.stdout;
}
