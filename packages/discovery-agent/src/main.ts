import { systemClock } from '@ingot/net';
import { openIpmiDevice } from './bmc/ipmi-device.ts';
import { runCommand } from './command.ts';
import { inventoryCommand, inventoryUsage } from './inventory-command.ts';
import { runAgent } from './run-agent.ts';
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
    openIpmi: (path) => openIpmiDevice(path, systemClock),
    write: (data) => void process.stdout.write(data),
    isTerminal: process.stdout.isTTY,
    complain: (line) => void process.stderr.write(`${line}\n`),
  });
}

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'inventory':
    void inventory(args);
    break;
  case 'run':
    // No top-level await: the image bundles this as a classic script, for the sake of its code cache.
    void runAgent(version);
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
