import { systemClock } from '@ingot/net';

const version = '0.1.0';

/**
 * Each command loads what it needs and no more: an inventory, or one of the processes that wipe a disk, does without
 * gRPC. Asked for nothing it loads everything, for the usage, and for the code cache of the image.
 *
 * No top-level await: the image bundles this as a classic script, for the sake of that cache.
 */
async function main(command: string | undefined, args: readonly string[]): Promise<void> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) return usage(0);
  switch (command) {
    case 'inventory': {
      const { printInventory } = await import('./inventory-command.ts');
      return printInventory(args);
    }
    case 'run': {
      const { runAgent } = await import('./run-agent.ts');
      return runAgent(version);
    }
    case 'wipe': {
      const { wipeCommand } = await import('./wipe-command.ts');
      return wipeCommand(args);
    }
    case 'block-io': {
      const { serveBlockIo } = await import('./wipe/block-io.ts');
      return serveBlockIo(args[0] ?? '', systemClock);
    }
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      return usage(0);
    default:
      return usage(2);
  }
}

async function usage(status: 0 | 2): Promise<void> {
  const { inventoryUsage } = await import('./inventory-command.ts');
  const { runUsage } = await import('./run-agent.ts');
  const { wipeUsage } = await import('./wipe-command.ts');
  const commands = [inventoryUsage, runUsage, wipeUsage].join('\n');
  const stream = status === 0 ? process.stdout : process.stderr;
  stream.write(`ingot-discovery: runs on a machine that nobody knows yet\n\n${commands}`);
  process.exitCode = status;
}

const [command, ...args] = process.argv.slice(2);
void main(command, args);
