import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import type { LogFields, Logger } from '@ingot/daemon';
import { systemClock } from '@ingot/net';
import { printable } from '../display-width.ts';
import { CliError, CliErrorCode, CliExit } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { liveWords } from './live-text.ts';
import type { QuickBoot } from './quick-config.ts';
import { makeQuickFolder, type LockFolder, type QuickFolder } from './quick-folder.ts';
import { findPlace, servesOwnLink, type PlaceFlags } from './quick-place.ts';
import { watchStalls } from './quick-stall.ts';
import { clockText } from './trace-text.ts';

export interface QuickFlags extends PlaceFlags {
  readonly pool?: string;
  readonly proxy?: boolean;
  readonly router?: string;
  readonly capture?: boolean;
  readonly port: number;
  readonly file: readonly string[];
}

/** Where HTTP is served, and a folder whose files it publishes under `/boot/`. */
export interface QuickPlace {
  readonly httpUrl: string;
  readonly files: string;
}

/** Boots everyone until Ctrl-C, and says who comes. `makeBoot` may put files into the published folder. */
export async function runQuick(
  flags: QuickFlags,
  io: CliIo,
  makeBoot: (place: QuickPlace) => QuickBoot,
): Promise<void> {
  if (flags.proxy === true && flags.pool !== undefined)
    throw new CliError(
      CliErrorCode.Argument,
      '--pool leases addresses, and --proxy leaves that to another server: take one',
    );
  if (flags.pool === undefined && flags.router !== undefined)
    throw new CliError(
      CliErrorCode.Argument,
      '--router goes with addresses that are leased: give --pool, too, or set the router in the other DHCP server',
    );
  if (flags.pool !== undefined && flags.capture === true)
    throw new CliError(
      CliErrorCode.Argument,
      '--capture is for answers beside another DHCP server, and --pool leases addresses: take one',
    );
  const place = findPlace(flags);
  const [{ BootServerError, lockDataDir, startQuickBootServer }, { fileOf, inFlags, quickConfig }] = await Promise.all([
    import('@ingot/boot-server'),
    import('./quick-config.ts'),
  ]);
  using folder = ownFolder(lockDataDir);
  const stopping = new AbortController();
  const asked = Promise.withResolvers<void>();
  let endedAt: number | undefined;
  const end = (): void => {
    asked.resolve();
    // One Ctrl-C may come twice at once, by way of a program that passes it on.
    endedAt ??= systemClock.monotonic();
    if (systemClock.monotonic() - endedAt < 500) return;
    folder[Symbol.dispose]();
    process.exit(CliExit.Interrupted);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  try {
    const files = join(folder.path, 'files');
    mkdirSync(files);
    const boot = makeBoot({ httpUrl: `http://${place.address}:${flags.port}`, files });
    const linked = flags.file.map((file) => publishLink(fileOf(file), join(files, basename(file))));
    const { pool, router, capture = false, port } = flags;
    const config = quickConfig(boot, { place, pool, router, capture, port, folder: folder.path, linked });
    const say = (text: string): void => io.stdout(`${printable(text)}\n`);
    const server = await startQuickBootServer(config, {
      log: quietLogger((text) => io.stderr(`ingot: ${printable(text)}\n`)),
      signal: stopping.signal,
    }).catch((error: unknown) => {
      if (error instanceof BootServerError) throw new CliError(CliErrorCode.Refused, inFlags(error.message), error);
      throw error;
    });
    try {
      for (const line of heading(boot, flags, place)) say(line);
      server.watch.timeline.onEntry((track, entry) => {
        const words = liveWords(entry);
        if (words !== undefined) say(`${clockText(entry.at).slice(0, 8)}  ${track.mac}  ${inFlags(words)}`);
      });
      using whileServing = new DisposableStack();
      whileServing.use(
        watchStalls({
          clock: systemClock,
          machines: () => server.watch.machines(),
          leases: pool !== undefined,
          say: (mac, words) => say(`${clockText(io.now()).slice(0, 8)}  ${mac}  ${words}`),
        }),
      );
      await asked.promise;
    } finally {
      stopping.abort();
      const late = systemClock.setTimeout(
        () => say('stopping: what is being sent may end, for 10 s at most; Ctrl-C again ends it at once'),
        2_000,
      );
      await server.stop();
      late.cancel();
    }
    const machines = server.watch.machines();
    const booted = machines.filter(({ stage }) => stage === 'booted').length;
    say('');
    say(
      `stopped: ${machines.length === 1 ? '1 machine' : `${machines.length} machines`} came, ${booted} started the kernel`,
    );
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

function ownFolder(lock: LockFolder): QuickFolder {
  try {
    return makeQuickFolder(tmpdir(), lock);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new CliError(
      CliErrorCode.File,
      `no folder can be made in ${tmpdir()}: ${words}; free space there, or name another with TMPDIR`,
      error,
    );
  }
}

function heading(boot: QuickBoot, flags: QuickFlags, place: ReturnType<typeof findPlace>): string[] {
  const { address, subnet } = place;
  return [
    `serving   ${subnet} from ${place.interface ?? ''} ${address}: DHCP 67, PXE 4011, TFTP 69, HTTP ${flags.port}`,
    ...(servesOwnLink(place) ? [] : [`          through relays only: ${address} is not in it`]),
    flags.pool === undefined
      ? 'addresses another DHCP server on this network leases them (--pool FIRST-LAST leases them here)'
      : `addresses ${flags.pool}`,
    `everyone  boots ${boot.kernel}${boot.initrds.map((initrd) => ` + ${initrd}`).join('')}`,
    ...(boot.cmdline === '' ? [] : [`          with ${boot.cmdline}`]),
    ...flags.file.map((file) => `also      http://${address}:${flags.port}/boot/${basename(file)}`),
    'stop with Ctrl-C',
    '',
  ];
}

/** Serves a file under a name of the published folder. Returns its path. */
function publishLink(file: string, name: string): string {
  if (!isAbsolute(file) || existsSync(name))
    throw new CliError(
      CliErrorCode.Argument,
      isAbsolute(file)
        ? `--file: ${basename(name)} is served already: rename one`
        : `--file: ${file} is served already, by its own server`,
    );
  symlinkSync(file, name);
  return file;
}

/** What is about a machine is shown by its timeline; only the rest that is wrong is said here. */
function quietLogger(say: (text: string) => void): Logger {
  const unlessMachine = (fields: LogFields, msg: string): void => {
    if (fields['mac'] === undefined) say(msg);
  };
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: unlessMachine,
    error: unlessMachine,
    child: () => logger,
  };
  return logger;
}
