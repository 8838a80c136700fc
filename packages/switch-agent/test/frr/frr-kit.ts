import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock, type Clock } from '@ingot/net';
import { execa } from 'execa';
import { createApplier, type Applier } from '../../src/frr/applier.ts';
import { commandRunner, type RunCommand } from '../../src/frr/command.ts';
import { type ConfFiles, confFiles } from '../../src/frr/conf-files.ts';
import { createReload, type Reload } from '../../src/frr/reloader.ts';
import { createVtysh, type RunningFrr, type Vtysh } from '../../src/frr/vtysh.ts';

const BIN = '/usr/lib/frr';
const FRR_USER = 'frr';
const PYTHON = '/usr/bin/python3';

/** Debian's zebra, staticd and bgpd in a network namespace of their own. */
export interface TestFrr extends AsyncDisposable {
  readonly namespace: string;
  readonly folder: string;
  readonly confFile: string;
  readonly vtysh: Vtysh;
  readonly vtyshCommand: readonly string[];
  /** frr-reload.py, as SONiC's container runs it. */
  readonly reloadCommand: readonly string[];
  ip(...args: readonly string[]): Promise<void>;
  /** Runs vtysh commands; gives what they print. */
  show(...commands: readonly string[]): Promise<string>;
  /** Loads lines without an agent. */
  load(conf: string): Promise<void>;
  running(): Promise<RunningFrr>;
  /** What frr-reload would still change. */
  reloadDiff(): Promise<string>;
  startBgpd(): Promise<void>;
  killBgpd(signal: 'SIGSEGV' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  script(name: string, lines: readonly string[]): Promise<string>;
}

/** Real time, with the agent's pauses a hundred times shorter. */
export const hastyClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
  setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms),
  setInterval: (fn, ms) => systemClock.setInterval(fn, ms),
};

export const run: RunCommand = commandRunner(systemClock);
export const never: AbortSignal = new AbortController().signal;

export async function startFrr(ports: readonly string[], options: { readonly fpm?: boolean } = {}): Promise<TestFrr> {
  const namespace = `ingot-frr-${randomUUID().slice(0, 8)}`;
  const folder = await mkdtemp(join(tmpdir(), 'ingot-frr-'));
  const confFile = join(folder, 'frr.conf');
  const id = (await execa('id', ['-u', FRR_USER])).stdout;
  const group = (await execa('id', ['-g', FRR_USER])).stdout;
  await chown(folder, Number(id), Number(group));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'vtysh.conf'), '');
  const children = new Map<string, ChildProcess>();
  const vtyshArgs = ['--vty_socket', folder, '--config_dir', folder];

  const start = async (daemon: string, extra: readonly string[] = []): Promise<void> => {
    const sockets = ['--vty_socket', folder, '-z', join(folder, 'zserv.api'), '-i', join(folder, `${daemon}.pid`)];
    const common = ['-u', FRR_USER, '-g', FRR_USER, '-f', '/dev/null', '-A', '127.0.0.1', '-P', '0', '--log', 'stdout'];
    await Promise.all([
      rm(join(folder, `${daemon}.vty`), { force: true }),
      rm(join(folder, `${daemon}.pid`), { force: true }),
    ]);
    const args = ['netns', 'exec', namespace, join(BIN, daemon), ...common, ...sockets, ...extra];
    const child = spawn('ip', args, { stdio: 'ignore' });
    children.set(daemon, child);
    const socket = join(folder, daemon === 'zebra' ? 'zserv.api' : `${daemon}.vty`);
    for (let tries = 0; !(existsSync(socket) && existsSync(join(folder, `${daemon}.vty`))); tries += 1) {
      if (tries > 200 || child.exitCode !== null) throw new Error(`${daemon} does not start`);
      await pause(25);
    }
  };
  const end = async (daemon: string, signal: NodeJS.Signals): Promise<void> => {
    const child = children.get(daemon);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await once(child, 'exit');
  };
  const ip = async (...args: readonly string[]): Promise<void> => {
    await execa('ip', ['-n', namespace, ...args]);
  };
  const dispose = async (): Promise<void> => {
    await Promise.all([...children.keys()].map((daemon) => end(daemon, 'SIGKILL')));
    await execa('ip', ['netns', 'delete', namespace], { reject: false });
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await execa('ip', ['netns', 'add', namespace]);
    await ip('link', 'set', 'lo', 'up');
    for (const [index, port] of ports.entries()) {
      await ip('link', 'add', port, 'type', 'veth', 'peer', 'name', `peer${index}`);
      await ip('link', 'set', port, 'up');
      await ip('link', 'set', `peer${index}`, 'up');
    }
    await start('zebra', ['-s', '90000000', ...(options.fpm === true ? ['-M', 'dplane_fpm_nl'] : [])]);
    await Promise.all([start('staticd'), start('bgpd')]);
  } catch (error) {
    await dispose();
    throw error;
  }

  const vtysh = createVtysh({ argv: ['vtysh', ...vtyshArgs], run, timeoutMs: 10_000 });
  const reloader = [join(BIN, 'frr-reload.py'), '--stdout', '--bindir', '/usr/bin'];
  const places = ['--vty_socket', folder, '--confdir', folder, '--rundir', folder];
  return {
    namespace,
    folder,
    confFile,
    vtysh,
    vtyshCommand: ['vtysh', ...vtyshArgs],
    reloadCommand: [PYTHON, ...reloader, ...places, '--reload', confFile],
    ip,
    show: async (...commands) => {
      const args = [...vtyshArgs, ...commands.flatMap((command) => ['-c', command])];
      return (await execa('vtysh', args, { stderr: 'ignore' })).stdout;
    },
    load: async (conf) => {
      await writeFile(join(folder, 'load.conf'), conf);
      await execa('vtysh', [...vtyshArgs, '-f', join(folder, 'load.conf')]);
    },
    running: async () => {
      const answer = await vtysh.running(never);
      if (!answer.ok) throw new Error(answer.reason);
      return answer;
    },
    reloadDiff: async () => {
      return (await execa(PYTHON, [...reloader, ...places, '--test', confFile], { stderr: 'ignore' })).stdout;
    },
    startBgpd: () => start('bgpd'),
    killBgpd: (signal) => end('bgpd', signal),
    script: async (name, lines) => {
      const path = join(folder, name);
      await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
      return path;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

export interface Rig {
  readonly files: ConfFiles;
  readonly apply: Applier;
}

/** The agent's side of a `TestFrr`. */
export function rig(
  frr: TestFrr,
  options: { readonly reload?: Reload; readonly clock?: Clock; readonly rollBack?: boolean } = {},
): Rig {
  const files = confFiles(frr.confFile, frr.folder);
  const reload = options.reload ?? createReload({ method: { command: frr.reloadCommand }, run, timeoutMs: 30_000 });
  return {
    files,
    apply: createApplier({
      files,
      vtysh: frr.vtysh,
      reload,
      rollBack: options.rollBack ?? true,
      clock: options.clock ?? hastyClock,
    }),
  };
}

/** Undefined when there is no such file, or no such process any more (ESRCH, of a file in /proc that was open). */
export async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}

/** Waits for something that takes a foreign program a moment. */
export async function eventually<T>(
  read: () => Promise<T>,
  isThere: (value: T) => boolean,
  timeoutMs = 40_000,
): Promise<T> {
  const until = systemClock.monotonic() + timeoutMs;
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    if (systemClock.monotonic() > until) throw new Error(`still ${JSON.stringify(value)} after ${timeoutMs} ms`);
    await pause(100);
  }
}
