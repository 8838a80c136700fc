import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, createWriteStream } from 'node:fs';
import type { Clock } from '@ingot/net';
import { lineReader } from './lines.ts';

/** How one process of the rack is started. */
export interface PartSpec {
  readonly name: string;
  readonly argv: readonly string[];
  /** Network namespace to run in; the host's when absent. */
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors that the process finds as 3, 4, …; called at each start, closed here once it runs. */
  readonly openDescriptors?: () => readonly number[];
  /** Start it again when it ends by itself, as systemd's Restart=always would. */
  readonly restart: boolean;
  /** Called for every line of stdout and stderr. */
  readonly onLine?: (line: string) => void;
  /** Called after each start by itself or by hand, the first included. */
  readonly afterStart?: () => Promise<void>;
}

/** A running process of the rack, with its log. */
export interface Part {
  readonly name: string;
  readonly logFile: string;
  /** The program's own pid (setpriv and `ip netns exec` become it), or undefined while it is down. */
  readonly pid: number | undefined;
  /** How often it was started again after ending by itself. */
  readonly restarts: number;
  start(): Promise<void>;
  /** Ends it for good: SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  /** Resolves when the present process has ended; at once when it is down. */
  ended(): Promise<void>;
}

export interface PartEvents {
  readonly clock: Clock;
  /** Said whenever a process starts or ends, for the record of what there is to clean up. */
  readonly onChange: () => void;
  /** A part that should run has ended by itself. */
  readonly onDeath: (part: Part, how: string) => void;
}

const restartDelayMs = 500;

export function createPart(spec: PartSpec, logFile: string, events: PartEvents): Part {
  let child: ChildProcess | undefined;
  let wanted = false;
  let restarts = 0;
  let exit: Promise<void> = Promise.resolve();

  const launch = async (): Promise<void> => {
    const descriptors = spec.openDescriptors?.() ?? [];
    const log = createWriteStream(logFile, { flags: 'a' });
    const inNamespace = spec.namespace === undefined ? [] : ['ip', 'netns', 'exec', spec.namespace];
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inNamespace, ...spec.argv], {
      stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
      env: { ...process.env, ...spec.env },
      // Its own session: a Ctrl-C at the terminal reaches the lab, which takes the parts down in order.
      detached: true,
    });
    child = started;
    const handle = lineReader((line) => {
      log.write(`${new Date(events.clock.now()).toISOString()} ${line}\n`);
      spec.onLine?.(line);
    });
    started.stdout?.on('data', handle);
    started.stderr?.on('data', handle);
    exit = new Promise((resolve) => {
      started.once('error', (error) => {
        log.end(`could not be started: ${error.message}\n`);
        resolve();
      });
      started.once('close', (code, signal) => {
        log.end(
          `${new Date(events.clock.now()).toISOString()} -- ended ${signal === null ? `with status ${code}` : `by ${signal}`}\n`,
        );
        if (child === started) child = undefined;
        events.onChange();
        resolve();
        if (wanted) void revive(signal === null ? `ended with status ${code}` : `was ended by ${signal}`);
      });
    });
    for (const fd of descriptors) closeSync(fd);
    events.onChange();
    await spec.afterStart?.();
  };

  const revive = async (how: string): Promise<void> => {
    events.onDeath(part, how);
    if (!spec.restart) {
      wanted = false;
      return;
    }
    await events.clock.sleep(restartDelayMs);
    if (!wanted) return;
    restarts += 1;
    await launch();
  };

  const part: Part = {
    name: spec.name,
    logFile,
    get pid() {
      return child?.pid;
    },
    get restarts() {
      return restarts;
    },
    async start() {
      if (child !== undefined) return;
      wanted = true;
      await launch();
    },
    async stop(graceMs = 3000) {
      wanted = false;
      const dying = child;
      if (dying === undefined) return;
      dying.kill('SIGTERM');
      const timer = events.clock.setTimeout(() => dying.kill('SIGKILL'), graceMs);
      await exit;
      timer.cancel();
    },
    ended: () => exit,
  };
  return part;
}
