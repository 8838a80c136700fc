import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './errors.ts';
import { deleteNamespace } from './namespace.ts';

const base = '/run/ingot-lab';

interface Recorded {
  readonly lab: ProcessIdentity;
  readonly namespaces: readonly string[];
  readonly processes: readonly ProcessIdentity[];
  readonly workDirectory?: string;
}

/** A pid alone may have been reused; with the process's start time it names one process for ever. */
interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // proc(5): field 3 is the state, field 22 the start time.
    const startTicks = fields[19];
    return fields[0] === 'Z' || startTicks === undefined ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

function isRunning(known: ProcessIdentity): boolean {
  return identify(known.pid)?.startTicks === known.startTicks;
}

/** What a rack has made, on disk, so that the next start can remove what a killed one left. */
export interface RackState {
  /** Sockets and generated configuration; on tmpfs, with paths short enough for unix sockets. */
  readonly directory: string;
  addNamespace(name: string): void;
  setProcesses(pids: readonly number[]): void;
  setWorkDirectory(path: string): void;
  /** Removes the record and the directory; call when everything recorded is gone. */
  clear(): void;
}

/**
 * Claims the rack `name`: refuses with LAB_ALREADY_RUNS while another process runs it, and removes the namespaces,
 * processes and files of one that was killed.
 */
export async function claimRack(name: string): Promise<RackState> {
  const directory = join(base, name);
  const file = join(directory, 'state.json');
  await removeStale(name, directory, file);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const lab = identify(process.pid);
  if (lab === undefined) throw new LabError('LAB_COMMAND_FAILED', '/proc is not mounted');
  let recorded: Recorded = { lab, namespaces: [], processes: [] };
  const save = (change: Partial<Recorded>): void => {
    recorded = { ...recorded, ...change };
    writeFileSync(`${file}.new`, JSON.stringify(recorded));
    renameSync(`${file}.new`, file);
  };
  save({});
  return {
    directory,
    addNamespace: (namespace) => save({ namespaces: [...recorded.namespaces, namespace] }),
    setProcesses: (pids) => save({ processes: pids.map(identify).filter((known) => known !== undefined) }),
    setWorkDirectory: (workDirectory) => save({ workDirectory }),
    clear: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function removeStale(name: string, directory: string, file: string): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return;
  }
  const left: Recorded = JSON.parse(text);
  if (isRunning(left.lab)) {
    throw new LabError(
      'LAB_ALREADY_RUNS',
      `a lab named ${name} already runs as process ${left.lab.pid}; end it with Ctrl-C (or kill ${left.lab.pid}), or choose another name with --name`,
    );
  }
  for (const known of left.processes) if (isRunning(known)) process.kill(known.pid, 'SIGKILL');
  for (const namespace of left.namespaces) await deleteNamespace(namespace);
  if (left.workDirectory !== undefined) rmSync(left.workDirectory, { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
}
