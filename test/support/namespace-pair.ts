import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { atEnd } from './at-end.ts';
import { killIfThere } from './leave-nothing.ts';
import { startLossyForwarder, type CableEnd, type Impairment, type LossyForwarder } from './lossy-forwarder.ts';

export const SERVER_ADDRESS = '10.9.0.1';
export const CLIENT_ADDRESS = '10.9.0.2';
/** Both ends are in 10.9.0.0/16; 10.9.64.0/18 is left for leases. */
export const PAIR_NETWORK = '10.9.0.0/16';

export type Side = 'server' | 'client';

export interface Started extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly logPath: string;
  /** All that it printed so far. */
  output(): string;
  /** Ends it with SIGTERM, after 3 s with SIGKILL. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Waits until the output matches, for at most 90 s. */
  readonly ready?: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** Two network namespaces on one link, and a folder; gone with all their processes on disposal, or at the end of the process. */
export interface NamespacePair extends AsyncDisposable {
  readonly folder: string;
  /** The link, when it is a bad cable; `a` is the server's end. */
  readonly cable: LossyForwarder | undefined;
  /** Name of a side's namespace. */
  readonly names: Readonly<Record<Side, string>>;
  file(name: string, text: string): string;
  /** Output goes to a file: nobody else's processor time is spent on reading it. */
  start(side: Side, command: readonly string[], options?: StartOptions): Promise<Started>;
  /** Runs to the end; resolves with stdout, rejects with everything printed. */
  run(side: Side, command: readonly string[], timeoutMs?: number): Promise<string>;
}

/**
 * The link is a veth pair, or with `impairment` a bad cable. Without `ipv6` no frame of IPv6's own is ever on it, from the
 * moment that it is up.
 */
export async function createNamespacePair(
  impairment?: Impairment,
  { ipv6 = true }: { readonly ipv6?: boolean } = {},
): Promise<NamespacePair> {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-bench-'));
  const id = `ingot-${process.pid}-${Math.random().toString(36).slice(2, 6)}`;
  const names = { server: `${id}-s`, client: `${id}-c` };
  const running: Started[] = [];
  let cable: LossyForwarder | undefined;
  let count = 0;
  const forget = atEnd(() => {
    for (const { process: child } of running) child.kill('SIGKILL');
    for (const name of Object.values(names)) deleteNamespaceNow(name);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (side: Side, command: readonly string[], options: StartOptions = {}): Promise<Started> => {
    const logPath = join(folder, `${String((count += 1))}.log`);
    const log = openSync(logPath, 'w');
    // `ip netns exec` becomes the program: its pid is the program's.
    const child = spawn('ip', ['netns', 'exec', names[side], ...command], {
      stdio: ['ignore', log, log],
      cwd: folder,
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.once('error', () => undefined);
    const stop = async (): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await ended;
      clearTimeout(late);
    };
    const started: Started = {
      pid: child.pid ?? 0,
      process: child,
      logPath,
      output: () => readFileSync(logPath, 'utf8'),
      stop,
      [Symbol.asyncDispose]: stop,
    };
    running.push(started);
    const until = Date.now() + 90_000;
    while (options.ready !== undefined && !options.ready.test(started.output())) {
      if (Date.now() > until || child.exitCode !== null)
        throw new Error(`${command.join(' ')} did not get ready:\n${started.output()}`);
      await pause(20);
    }
    return started;
  };
  const dispose = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.stop()));
    await cable?.[Symbol.asyncDispose]();
    for (const name of Object.values(names)) deleteNamespaceNow(name);
    rmSync(folder, { recursive: true, force: true });
    forget();
  };

  const ip = (side: Side, words: string): Promise<unknown> => execa('ip', ['-n', names[side], ...words.split(' ')]);
  try {
    for (const name of Object.values(names)) {
      await execa('ip', ['netns', 'add', name]);
      if (ipv6) continue;
      const off = 'cd /proc/sys/net/ipv6/conf && echo 1 > all/disable_ipv6 && echo 1 > default/disable_ipv6';
      await execa('ip', ['netns', 'exec', name, 'sh', '-c', off]);
    }
    if (impairment === undefined) await ip('server', `link add eth0 type veth peer name eth0 netns ${names.client}`);
    else {
      const end = (side: Side): CableEnd => ({ namespace: names[side], interface: 'eth0' });
      cable = await startLossyForwarder(end('server'), end('client'), impairment);
    }
    for (const [side, address] of [
      ['server', SERVER_ADDRESS],
      ['client', CLIENT_ADDRESS],
    ] satisfies [Side, string][]) {
      await ip(side, 'link set lo up');
      await ip(side, 'link set eth0 up');
      await ip(side, `addr add ${address}/16 dev eth0`);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    folder,
    names,
    cable,
    start,
    file: (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o755 });
      return path;
    },
    run: async (side, command, timeoutMs = 120_000) => {
      const { stdout } = await execa('ip', ['netns', 'exec', names[side], ...command], {
        cwd: folder,
        timeout: timeoutMs,
        maxBuffer: 64_000_000,
      });
      return stdout;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** With what runs in it. Does not wait, so that it also works at the end of the process. */
export function deleteNamespaceNow(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of (stdout ?? '').split('\n').filter((line) => line !== '')) killIfThere(Number(pid));
  spawnSync('ip', ['netns', 'del', name]);
}
