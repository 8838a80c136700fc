import { execa } from 'execa';
import { SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';

/** The program, found by PATH. */
export const YANGLINT = 'yanglint';

// What 2.0 and older print and take differs. Tested with Debian's 2.1.30.
const OLDEST = [2, 1] as const;

const VERSION_TIMEOUT_MS = 10_000;

/** Rejects with SwitchAgentError `SWITCH_YANGLINT` when yanglint is missing or too old. */
export async function requireYanglint(signal: AbortSignal): Promise<void> {
  const { failed, code, stdout, shortMessage } = await execa(YANGLINT, ['--version'], {
    reject: false,
    stdin: 'ignore',
    timeout: VERSION_TIMEOUT_MS,
    cancelSignal: signal,
    env: { LC_ALL: 'C' },
  });
  signal.throwIfAborted();
  if (code === 'ENOENT') {
    throw unusable('yanglint is not installed: apt-get install libyang2-tools (libyang-tools from Debian 13 on)');
  }
  const [, version, major, minor] = /^yanglint ((\d+)\.(\d+)[\w.]*)/.exec(stdout) ?? [];
  if (failed || version === undefined) throw unusable(`yanglint does not tell its version: ${shortMessage ?? stdout}`);
  const isTooOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (isTooOld) throw unusable(`yanglint ${version} is too old: ${OLDEST.join('.')} or newer is needed`);
}

export function unusable(message: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.Yanglint, message, cause);
}
