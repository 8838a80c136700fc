import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A read of sysfs may wait for a device that does not answer, and nothing in this process can end it then: collectors
 * read synchronously, and a thread for them would take longer to start than they take. So a shell waits beside
 * them, ends this process at the deadline, and leaves behind whose fault it was. The next run leaves that collector out.
 */
export interface HangGuard extends Disposable {
  /** Collectors that hung in earlier runs. */
  readonly hung: readonly string[];
  /** Called before each collector. */
  enter(collector: string): void;
}

export interface HangGuardOptions {
  /**
   * Made if missing. `collector`: what is under way; `hung`: what hung, a line each; `reason`: the last words of a
   * process that was ended.
   */
  readonly directory: string;
  /** False: only for this run, gone with it. */
  readonly keep: boolean;
  /** For all collectors together; whole seconds. */
  readonly deadlineMs: number;
}

/**
 * $1 seconds, $2 the process, $3 the directory, $4 whether to keep it. The process must still be the shell's parent: its number may be another's by now.
 */
const script = `
umask 077
sleep "$1"
read -r _ _ _ parent _ <"/proc/$$/stat"
[ "$parent" = "$2" ] || exit 0
read -r collector <"$3/collector" || exit 0
echo "$collector" >>"$3/hung"
reason="collector $collector gave no answer within $1 s"
printf %s "$reason" >"$3/reason"
echo "$reason" >&2
[ "$4" = true ] || rm -rf "$3"
kill -KILL "$2"
`;

export function openHangGuard({ directory, keep, deadlineMs }: HangGuardOptions): HangGuard {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'collector');
  const file = openSync(path, 'w', 0o600);
  const shell = spawn(
    'sh',
    ['-c', script, 'hang-guard', String(Math.ceil(deadlineMs / 1000)), String(process.pid), directory, String(keep)],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    },
  );
  // Without a shell the collectors run unguarded.
  shell.on('error', () => {});
  shell.unref();
  return {
    hung: readLines(join(directory, 'hung')),
    enter(collector) {
      ftruncateSync(file);
      writeSync(file, `${collector}\n`, 0);
    },
    [Symbol.dispose]() {
      closeSync(file);
      rmSync(keep ? path : directory, { recursive: true, force: true });
      // Detached it leads a group, which its sleep is in, too.
      if (shell.pid !== undefined) endGroup(shell.pid);
    },
  };
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
