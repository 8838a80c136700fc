import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openHangGuard } from '../inventory/hang-guard.ts';
import type { HangGuard } from '../inventory/hang-guard.ts';

/** What the agent is busy with, as shown on the console and in Crashed events. */
export type Phase =
  | 'agent'
  | 'config'
  | 'standing'
  | 'inventory'
  | 'lldp'
  | 'bmc'
  | 'register'
  | 'wipe'
  | 'waiting'
  | 'allocated'
  | 'reboot'
  | 'crashed';

/** How the run before this one ended. */
export interface LastExit {
  readonly code: number;
  readonly phase: string;
  /** One line; empty when the process left none, as after SIGKILL. */
  readonly reason: string;
}

/**
 * The agent's memory between two of its runs, files below `/run/ingot` on a tmpfs: gone with the machine, never on a
 * disk. `/init` reads `phase` and writes `last-exit`.
 */
export interface State {
  setPhase(phase: Phase): void;
  config(): string | undefined;
  /** Readable for root only: it holds the machine's token. */
  keepConfig(body: string): void;
  keepReason(reason: string): void;
  /** How the last run ended; forgotten once `forgetLastExit` was called. */
  lastExit(): LastExit | undefined;
  forgetLastExit(): void;
  /** The event that the API took last, its number; `undefined` before the first of this boot. */
  lastEvent(): number | undefined;
  keepLastEvent(event: number): void;
  /** The wipe order that was carried out, so that a run after a crash answers it, and does not carry it out again. */
  wiped(): string | undefined;
  keepWiped(order: string): void;
  /** Name servers, by address, that go before those of DHCP leases. */
  keepNameServers(addresses: readonly string[]): void;
  /** Ends this process when a collector hangs, so that the run after it can leave that one out. */
  guardCollectors(): HangGuard;
  /** The host key that `/etc/debug-shell.sh` made, base64; undefined while SSH is closed, as it is without a debug key. */
  sshHostKey(): string | undefined;
  /** True once `/init` has loaded the drivers; always true outside of the image. */
  driversLoaded(): boolean;
  log(line: string): void;
}

/** Less than a watchdog's minute, and many times what a large machine on a slow processor takes. */
const collectorsDeadlineMs = 30_000;
/** The log lives in memory, too: beyond this size the older half is dropped. */
const maxLogBytes = 4 * 2 ** 20;

/** @param directory made if missing */
export function openState(directory: string, options: { readonly insideImage: boolean }): State {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(directory, name);
  const read = (name: string): string | undefined => {
    try {
      return readFileSync(at(name), 'utf8');
    } catch {
      return undefined;
    }
  };
  const write = (name: string, content: string): void => {
    const partial = at(`${name}.part`);
    mkdirSync(dirname(partial), { recursive: true });
    writeFileSync(partial, content, { mode: 0o600 });
    renameSync(partial, at(name));
  };
  return {
    setPhase: (phase) => write('phase', `${phase}\n`),
    config: () => read('config.json'),
    keepConfig: (body) => write('config.json', body),
    keepReason: (reason) => write('reason', reason),
    lastExit() {
      const text = read('last-exit');
      if (text === undefined || text === '') return undefined;
      const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
      const reason = read('reason') || lastLine(read('stderr') ?? '');
      return { code: Number(field('code')), phase: field('phase') || 'unknown', reason };
    },
    forgetLastExit() {
      write('last-exit', '');
      write('reason', '');
    },
    lastEvent: () => Number(read('last-event') ?? '') || undefined,
    keepLastEvent: (event) => write('last-event', String(event)),
    wiped: () => read('wiped'),
    keepWiped: (order) => write('wiped', order),
    keepNameServers(addresses) {
      // /etc/resolv.conf is the sum of these files; `network.sh` writes one for each NIC.
      const lines = addresses.map((address) => `nameserver ${address}\n`).join('');
      write('leases/0-config.dns', lines);
      const sources = readdirSync(at('leases'))
        .filter((name) => name.endsWith('.dns'))
        .toSorted();
      const all = sources.flatMap((name) => (read(`leases/${name}`) ?? '').split('\n')).filter((line) => line !== '');
      write('resolv.conf', [...new Set(all)].map((line) => `${line}\n`).join(''));
    },
    guardCollectors: () => openHangGuard({ directory, keep: true, deadlineMs: collectorsDeadlineMs }),
    sshHostKey: () => read('ssh/host_key.pub')?.trim(),
    driversLoaded: () => !options.insideImage || read('modules-loaded') !== undefined,
    log(line) {
      const path = at('agent.log');
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(path, `${path}.1`);
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
    },
  };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
