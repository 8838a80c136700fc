import type { Clock, Timer } from '@ingot/net';
import { DaemonError, DaemonErrorCode } from './errors.ts';
import { sendUnixDatagram } from './unix-datagram.ts';

/** What the service manager is told; see sd_notify(3). */
export interface Notifier {
  /** Started: dependents may start. From now on the watchdog, if there is one, is fed. */
  ready(): Promise<void>;
  /** Reading the configuration again; `ready` says when that is done. */
  reloading(): Promise<void>;
  /** Stopping, as asked. */
  stopping(): Promise<void>;
  /** One line on what it is doing. */
  status(text: string): Promise<void>;
  /** Stops feeding the watchdog. */
  close(): void;
}

export interface NotifierOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  /** Told when the watchdog cannot be fed. */
  readonly onError: (error: DaemonError) => void;
  /** Default: a unix datagram. */
  readonly send?: (socketPath: string, text: string) => Promise<void>;
  /** CLOCK_MONOTONIC, microseconds; systemd compares it with its own. Default: the real one. */
  readonly monotonicMicros?: () => bigint;
}

/** Talks to the service manager; without NOTIFY_SOCKET, that is, not under systemd, it does nothing. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { env, clock, onError, send = sendUnixDatagram } = options;
  const { monotonicMicros = () => process.hrtime.bigint() / 1000n } = options;
  const socketPath = env['NOTIFY_SOCKET'];
  const everyMs = watchdogMs(env, options.pid);
  let watchdog: Timer | undefined;
  const notify = async (text: string): Promise<void> => {
    if (socketPath === undefined || socketPath === '') return;
    try {
      await send(socketPath, text);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new DaemonError(
        DaemonErrorCode.Notify,
        `cannot tell systemd ${text.split('=')[0]} over NOTIFY_SOCKET: ${words}; set Type=exec in the unit if this persists`,
        error,
      );
    }
  };
  return {
    ready: async () => {
      await notify('READY=1');
      if (everyMs === undefined || socketPath === undefined) return;
      // Twice per period, as sd_watchdog_enabled(3) advises.
      watchdog ??= clock.setInterval(() => void notify('WATCHDOG=1').catch(onError), everyMs / 2);
    },
    reloading: () => notify(`RELOADING=1\nMONOTONIC_USEC=${monotonicMicros()}`),
    stopping: () => notify('STOPPING=1'),
    status: (text) => notify(`STATUS=${text.replaceAll(/\s+/g, ' ').trim()}`),
    close: () => watchdog?.cancel(),
  };
}

function watchdogMs(env: NotifierOptions['env'], pid: number): number | undefined {
  const micros = Number(env['WATCHDOG_USEC']);
  if (!(micros > 0)) return undefined;
  const meant = env['WATCHDOG_PID'];
  return meant === undefined || Number(meant) === pid ? micros / 1000 : undefined;
}
