import { systemClock } from '@ingot/net';

const version = '0.1.0';

/**
 * Each command loads what it needs and no more: an inventory, or one of the processes that wipe a disk, does without
 * gRPC. Asked for nothing it loads everything, for the usage, and for the code cache of the image.
 *
 * No top-level await: the image bundles this as a classic script, for the sake of that cache.
 */
async function main(command: string | undefined, args: readonly string[]): Promise<void> {
  switch (command) {
    case 'inventory': {
      const { printInventory } = await import('./inventory-command.ts');
      await printInventory(args);
      break;
    }
    case 'run': {
      const { runAgent } = await import('./run-agent.ts');
      await runAgent(version);
      break;
    }
    case 'wipe': {
      const { wipeCommand } = await import('./wipe-command.ts');
      await wipeCommand(args);
      break;
    }
    case 'block-io': {
      const { serveBlockIo } = await import('./wipe/block-io.ts');
      await serveBlockIo(args[0] ?? '', systemClock);
      break;
    }
    default: {
      const { inventoryUsage } = await import('./inventory-command.ts');
      const { runUsage } = await import('./run-agent.ts');
      const { wipeUsage } = await import('./wipe-command.ts');
      const commands = [inventoryUsage, runUsage, wipeUsage].join('\n');
      process.stderr.write(`ingot-discovery: runs on a machine that nobody knows yet\n\n${commands}`);
      process.exitCode = command === undefined ? 0 : 2;
    }
  }
}

const [command, ...args] = process.argv.slice(2);
void main(command, args);
