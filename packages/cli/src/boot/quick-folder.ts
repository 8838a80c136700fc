import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Takes a folder for this process, and throws where another has it. Returns what gives it back. */
export type LockFolder = (folder: string, pid: number) => () => void;

/** A folder of this run alone. */
export interface QuickFolder extends Disposable {
  readonly path: string;
}

const NAME = /^ingot-boot-\w{6}$/;
/** What `LockFolder` leaves in a folder that somebody took. */
const LOCK_FILE = 'lock.sqlite';

/** Admin sockets of those of this user's that run. */
export function quickSockets(parent: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => NAME.test(name) && isOwn(join(parent, name)))
    .map((name) => join(parent, name, 'data', 'admin.sock'))
    .filter((socket) => existsSync(socket) && isRunning(join(dirname(socket), 'boot-server.pid')));
}

function isRunning(pidFile: string): boolean {
  try {
    return existsSync(`/proc/${Number(readFileSync(pidFile, 'latin1'))}`);
  } catch {
    return false; // it ends just now
  }
}

/** Makes one in `parent`, and takes away those of processes that were killed. */
export function makeQuickFolder(parent: string, lock: LockFolder): QuickFolder {
  removeLeftovers(parent, lock);
  // It gets its name once it is locked: what has that name and no owner is a leftover at any moment.
  const unnamed = mkdtempSync(join(parent, 'ingot-boot-new-'));
  try {
    const unlock = lock(unnamed, process.pid);
    const path = join(parent, `ingot-boot-${unnamed.slice(-6)}`);
    renameSync(unnamed, path);
    return {
      path,
      [Symbol.dispose]: () => {
        rmSync(path, { recursive: true, force: true });
        unlock();
      },
    };
  } catch (error) {
    rmSync(unnamed, { recursive: true, force: true });
    throw error;
  }
}

function removeLeftovers(parent: string, lock: LockFolder): void {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    if (!NAME.test(name) || !isOwn(path)) continue;
    try {
      const unlock = lock(path, process.pid);
      rmSync(path, { recursive: true, force: true });
      unlock();
    } catch {
      // Its owner lives, or it cannot be removed: no reason not to go on.
    }
  }
}

/** Made by this user, for this user alone, and taken by somebody once: in a folder for all, a name says nothing. */
function isOwn(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return false;
  return stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0 && existsSync(join(path, LOCK_FILE));
}
