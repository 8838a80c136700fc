import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addLookCommands } from './look-commands.ts';
import { addReloadCommand } from './reload-command.ts';
import { addSimulateCommand } from './simulate-command.ts';

/** `ingot boot …`: looks into a running boot server. */
export function addBootCommands(program: Command, io: CliIo): void {
  const boot = program.command('boot').description('see how machines boot').helpCommand(false);
  addLookCommands(boot, io);
  addSimulateCommand(boot, io);
  addReloadCommand(boot, io);
}
