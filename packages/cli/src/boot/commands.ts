import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addLookCommands } from './look-commands.ts';

/** `ingot boot …`: looks into a running boot server. */
export function addBootCommands(program: Command, io: CliIo): void {
  const boot = program.command('boot').description('see how machines boot').helpCommand(false);
  addLookCommands(boot, io);
}
