import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';

/**
 * For programs, not for tests: however this process ends, all that it started ends with it, and its temporary files go,
 * those of others that it calls included. Call it before anything is made.
 */
export function leaveNothingBehind(): void {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-'));
  // PostgreSQL and nginx have users of their own.
  chmodSync(directory, 0o755);
  process.env['TMPDIR'] = directory;
  atEnd(() => {
    for (const pid of descendantsOf(process.pid)) killIfThere(pid);
    // What was killed may write until it is gone.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });
}

/** A process may end between being listed and being killed. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function descendantsOf(pid: number): number[] {
  const children = tasksOf(pid).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').map(Number).filter(Boolean);
    } catch {
      return [];
    }
  });
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
