import { lookup } from 'node:dns/promises';
import { writeSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { nodeNetwork, systemClock, systemEntropy } from '@ingot/net';
import { openIpmiDevice } from './bmc/ipmi-device.ts';
import { runCommand } from './command.ts';
import { AgentError, AgentErrorCode, reasonOf } from './errors.ts';
import { connectApi } from './life/api.ts';
import { Board } from './life/board.ts';
import { startScreen } from './life/console-screen.ts';
import { httpGet } from './life/http-get.ts';
import { live } from './life/life.ts';
import { createPulse } from './life/pulse.ts';
import { createReporter } from './life/reporter.ts';
import { openState } from './life/state.ts';
import { feedWatchdog } from './life/watchdog.ts';
import { wipeDisks } from './life/wipe-disks.ts';
import { kernelLog } from './log/kernel-log.ts';
import { postJson } from './log/post-json.ts';
import { openSysfs } from './sysfs.ts';
import { blockIoCommand } from './wipe-command.ts';

export const runUsage = `ingot-discovery run
    register it and wait; for the discovery image only
`;

/** `ingot-discovery run`: a life on this machine, until a signal ends it. */
export async function runAgent(version: string): Promise<void> {
  const insideImage = process.env['INGOT_IMAGE'] === '1';
  const sysfs = openSysfs('/');
  const state = openState('/run/ingot', { insideImage });
  const board = new Board(ownAddresses);
  const pulse = createPulse(systemClock);
  const reporter = createReporter({
    clock: systemClock,
    state,
    board,
    uptime: () => Number(sysfs.text('/proc/uptime')?.split(' ')[0] ?? 0),
    // Synchronous, so that the last words of a dying process arrive.
    write: (line) => writeSync(1, `${line}\n`),
  });
  if (insideImage) reporter.addSink(kernelLog('/dev/kmsg'));
  const stopping = new AbortController();
  const die = (error: unknown): never => {
    const reason = error instanceof AgentError ? `${error.code}: ${reasonOf(error)}` : reasonOf(error);
    state.keepReason(reason);
    reporter.say('crashed', `in phase ${reporter.phase}: ${reason}`);
    reporter.note('crashed', { stack: error instanceof Error ? error.stack : undefined });
    process.exit(1);
  };
  // The watchdog gets no more: should this process not even be able to die, the machine restarts.
  const onStall = (strand: string): never =>
    die(new AgentError(AgentErrorCode.Stalled, `the agent's ${strand} has stalled`));
  const onLost = (reason: string): void =>
    reporter.say(reporter.phase, `the watchdog takes nothing any more, and may restart the machine: ${reason}`);
  const watchdog = insideImage
    ? feedWatchdog({
        sysfs,
        clock: systemClock,
        pulse,
        driversLoaded: () => state.driversLoaded(),
        onChosen: (words) => reporter.say('agent', `watchdog: ${words}`),
        onStall,
        onLost,
      })
    : undefined;
  const screen = insideImage
    ? startScreen({ sysfs, clock: systemClock, board, scrub: (text) => reporter.scrub(text) })
    : undefined;
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort(new Error(signal)));

  reporter.enter('agent', `discovery agent ${version}, node ${process.versions.node}`);
  try {
    await live({
      sysfs,
      run: runCommand,
      clock: systemClock,
      entropy: systemEntropy,
      state,
      reporter,
      board,
      pulse,
      version,
      httpGet,
      postJson,
      network: nodeNetwork(),
      resolveHost: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
      openIpmi: (path) => openIpmiDevice(path, systemClock),
      connect: connectApi,
      wipe: wipeDisks({
        sysfs,
        run: runCommand,
        clock: systemClock,
        entropy: systemEntropy,
        blockIo: blockIoCommand(),
      }),
      reboot: async () => void (await runCommand('busybox', ['reboot', '-f'], { timeoutMs: 30_000 })),
      signal: stopping.signal,
    });
  } catch (error) {
    if (!stopping.signal.aborted) die(error);
    reporter.say(reporter.phase, `stopped by ${reasonOf(stopping.signal.reason)}`);
  }
  screen?.stop();
  watchdog?.stop();
}

/** As they are now: leases change. */
function ownAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => name !== 'lo')
    .flatMap(([name, addresses = []]) =>
      addresses.filter(({ address }) => !address.startsWith('fe80:')).map(({ address }) => `${name} ${address}`),
    );
}
