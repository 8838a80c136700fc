import { writeSync } from 'node:fs';
import { nodeNetwork, systemClock, systemEntropy } from '@ingot/net';
import { openIpmiDevice } from './bmc/ipmi-device.ts';
import { runCommand } from './command.ts';
import { AgentError, reasonOf } from './errors.ts';
import { inventoryCommand, inventoryUsage } from './inventory-command.ts';
import { connectApi } from './life/api.ts';
import { httpGet } from './life/http-get.ts';
import { live } from './life/life.ts';
import { createReporter } from './life/reporter.ts';
import { openState } from './life/state.ts';
import { feedWatchdog } from './life/watchdog.ts';
import { openSysfs } from './sysfs.ts';
import { wipeCommand, wipeUsage } from './wipe-command.ts';
import { serveBlockIo } from './wipe/block-io.ts';

const version = '0.1.0';

const usage = `ingot-discovery: runs on a machine that nobody knows yet

${inventoryUsage}
ingot-discovery run
    register it and wait; for the discovery image only

${wipeUsage}`;

async function inventory(args: readonly string[]): Promise<void> {
  // Whoever reads may have seen enough: `ingot-discovery inventory | head`.
  process.stdout.on('error', () => process.exit(1));
  process.exitCode = await inventoryCommand(args, {
    run: runCommand,
    clock: systemClock,
    write: (data) => void process.stdout.write(data),
    isTerminal: process.stdout.isTTY,
    complain: (line) => void process.stderr.write(`${line}\n`),
  });
}

async function run(): Promise<void> {
  const insideImage = process.env['INGOT_IMAGE'] === '1';
  const sysfs = openSysfs('/');
  const state = openState('/run/ingot', { insideImage });
  const reporter = createReporter({
    clock: systemClock,
    state,
    uptime: () => Number(sysfs.text('/proc/uptime')?.split(' ')[0] ?? 0),
    // Synchronous, so that the last words of a dying process arrive.
    write: (line) => writeSync(1, `${line}\n`),
  });
  const stopping = new AbortController();
  const watchdog = insideImage ? feedWatchdog('/dev/watchdog', systemClock) : undefined;
  const die = (error: unknown): never => {
    const reason = error instanceof AgentError ? `${error.code}: ${reasonOf(error)}` : reasonOf(error);
    state.keepReason(reason);
    reporter.say('crashed', `in phase ${reporter.phase}: ${reason}`);
    reporter.note('crashed', { stack: error instanceof Error ? error.stack : undefined });
    process.exit(1);
  };
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
      version,
      httpGet,
      network: nodeNetwork(),
      openIpmi: (path) => openIpmiDevice(path, systemClock),
      connect: connectApi,
      signal: stopping.signal,
    });
  } catch (error) {
    if (!stopping.signal.aborted) die(error);
    reporter.say(reporter.phase, `stopped by ${reasonOf(stopping.signal.reason)}`);
  }
  watchdog?.stop();
}

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'inventory':
    void inventory(args);
    break;
  case 'run':
    // No top-level await: the image bundles this as a classic script, for the sake of its code cache.
    void run();
    break;
  case 'wipe':
    void wipeCommand(args);
    break;
  case 'block-io':
    void serveBlockIo(args[0] ?? '', systemClock);
    break;
  default:
    process.stderr.write(usage);
    process.exitCode = command === undefined ? 0 : 2;
}
