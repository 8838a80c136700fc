import { Command, CommanderError } from 'commander';
import { addBootCommands } from './boot/commands.ts';
import { addDbCommands } from './db-commands.ts';
import { CliError, CliExit } from './errors.ts';
import type { CliIo } from './io.ts';
import { addMachineCommands } from './machine-commands.ts';
import { addPartCommands } from './parts.ts';
import { addResourceCommands } from './resources/commands.ts';
import { addSwitchCommands } from './switch-commands.ts';
import { addTokenCommands } from './token-command.ts';
import { addVersionCommand } from './version-command.ts';

/**
 * Runs `ingot` with the arguments behind its name. Answers the exit status (`CliExit`), or undefined when a part of
 * Ingot has run that set the process's own.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number | undefined> {
  let status: number | undefined = CliExit.Ok;
  const program = createProgram(io, (partStatus) => {
    status = partStatus;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? CliExit.Ok : CliExit.Usage;
    if (!(error instanceof CliError)) throw error;
    io.stderr(`ingot: ${error.message}\n`);
    return error.exit;
  }
}

function createProgram(io: CliIo, onPartExit: (status: number | undefined) => void): Command {
  const program = new Command('ingot')
    .description('Boots, inventories and wires bare-metal racks.')
    .enablePositionalOptions()
    .helpCommand(false)
    .showHelpAfterError('(--help says what there is)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout(text), writeErr: (text) => io.stderr(text) })
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 wrong command line or no API server known, 3 not found, 4 not allowed, 5 unreachable.',
    );
  // Sub-commands take over what is set above only when they are made after it.
  program.commandsGroup('Ask the API server:');
  addMachineCommands(program, io);
  addSwitchCommands(program, io);
  addResourceCommands(program, io);
  addTokenCommands(program, io);
  addVersionCommand(program, io);
  program.commandsGroup('Boot machines:');
  addBootCommands(program, io, onPartExit);
  program.commandsGroup('Look after the API server:');
  addDbCommands(program, io);
  program.commandsGroup('Run a part:');
  addPartCommands(program, onPartExit);
  return program;
}
