import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addLookCommands } from './look-commands.ts';
import { addQuickCommands } from './quick-commands.ts';
import { addReloadCommand } from './reload-command.ts';
import { addSshCommand } from './ssh-command.ts';
import { addSimulateCommand } from './simulate-command.ts';

/** `ingot boot …`: boots machines right away, and looks into a running boot server. */
export function addBootCommands(program: Command, io: CliIo, onExit: (status: number | undefined) => void): void {
  const boot = program
    .command('boot')
    .description('boot machines right away, and see how a boot server does it')
    .helpCommand(false);
  addQuickCommands(boot, io);
  addLookCommands(boot, io);
  addSimulateCommand(boot, io);
  addReloadCommand(boot, io);
  addSshCommand(boot, io, onExit);
}
