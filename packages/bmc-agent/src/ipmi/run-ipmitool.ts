import { execa } from 'execa';

export interface IpmitoolResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not do its work, in words that end a sentence; undefined when it did. */
  readonly failure?: string | undefined;
  readonly isMissing?: boolean | undefined;
}

/**
 * Runs Debian's ipmitool with an argument array. The password goes by the environment, which only its user and root can
 * read; arguments are for everybody. Rejects with the reason of the signal only.
 */
export type RunIpmitool = (args: readonly string[], password: string, signal: AbortSignal) => Promise<IpmitoolResult>;

// `fru print` of a well-filled machine is some KiB.
const MAX_OUTPUT = 2 ** 20;

export function ipmitoolRunner(file: string): RunIpmitool {
  return async (args, password, signal) => {
    signal.throwIfAborted();
    const result = await execa(file, args, {
      reject: false,
      stdin: 'ignore',
      cancelSignal: signal,
      forceKillAfterDelay: false,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT,
      extendEnv: false,
      env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin', IPMI_PASSWORD: password },
    });
    signal.throwIfAborted();
    const { stdout, stderr } = result;
    if (!result.failed) return { stdout, stderr };
    if (result.code === 'ENOENT') return { stdout, stderr, failure: 'is not installed', isMissing: true };
    return { stdout, stderr, failure: `ended with ${result.exitCode ?? result.signal ?? 'an error'}` };
  };
}
