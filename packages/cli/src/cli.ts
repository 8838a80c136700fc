import { Command, CommanderError } from 'commander';
import { addAboutCommands } from './about-commands.ts';
import { addAuditCommands } from './audit-commands.ts';
import { addBootCommands } from './boot/commands.ts';
import { addCompletionCommand, answerShell, COMPLETE } from './completion/commands.ts';
import { addComponentCommands } from './component-commands.ts';
import { addContextCommands } from './context-commands.ts';
import { addDbCommands } from './db-commands.ts';
import { printableLines } from './display-width.ts';
import { CliError, CliExit } from './errors.ts';
import { addEventCommands } from './event-command.ts';
import type { CliIo } from './io.ts';
import { addMachineCommands } from './machine/commands.ts';
import { addBmcPartCommand, addPartCommands } from './parts.ts';
import { addResourceCommands } from './resources/commands.ts';
import { addSwitchCommands } from './switch/commands.ts';
import { addTaskCommands } from './task-commands.ts';
import { addTokenCommands } from './token/commands.ts';
import { addVersionCommand } from './version-command.ts';

/**
 * Runs `ingot` with the arguments behind its name. Answers the exit status (`CliExit`), or undefined when a part of
 * Ingot has run that set the process's own.
 */
export async function runCli(argv: readonly string[], shell: CliIo): Promise<number | undefined> {
  const io = withCleanOutput(shell);
  let status: number | undefined = CliExit.Ok;
  const program = createProgram(io, (partStatus) => {
    status = partStatus;
  });
  try {
    if (argv[0] === COMPLETE) await answerShell(program, argv.slice(1), io);
    else await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? CliExit.Ok : CliExit.Usage;
    if (!(error instanceof CliError)) throw error;
    if (error.message !== '') io.stderr(`ingot: ${error.message}\n`);
    return error.exit;
  }
}

/** Names and messages come from machines and strangers: none of them may move the cursor or colour the terminal. */
function withCleanOutput(io: CliIo): CliIo {
  return {
    ...io,
    stdout: (text) => io.stdout(printableLines(text)),
    stderr: (text) => io.stderr(printableLines(text)),
  };
}

/** Without commander's "[options]", which all have: beside a long term it leaves no room to wrap what is said. */
function subcommandTerm(command: Command): string {
  const words = command.registeredArguments.map((each) => {
    const name = `${each.name()}${each.variadic ? '...' : ''}`;
    return each.required ? `<${name}>` : `[${name}]`;
  });
  return [[command.name(), ...command.aliases().slice(0, 1)].join('|'), ...words].join(' ');
}

function createProgram(io: CliIo, onPartExit: (status: number | undefined) => void): Command {
  const program = new Command('ingot')
    .description('Boots, inventories and wires bare-metal racks.')
    .enablePositionalOptions()
    .helpCommand(false)
    .configureHelp({ subcommandTerm })
    .showHelpAfterError('(--help says what there is)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout(text), writeErr: (text) => io.stderr(text) })
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 wrong command line or no API server known, 3 not found, 4 not allowed, 5 unreachable,\n' +
        '6 not done in time, 130 ended by Ctrl-C.',
    );
  // Sub-commands take over what is set above only when they are made after it.
  program.commandsGroup('Ask the API server:');
  addMachineCommands(program, io);
  addSwitchCommands(program, io);
  addResourceCommands(program, io);
  addEventCommands(program, io);
  addBmcPartCommand(program, io, onPartExit);
  addTokenCommands(program, io);
  addAuditCommands(program, io);
  addTaskCommands(program, io);
  addComponentCommands(program, io);
  addAboutCommands(program, io);
  addVersionCommand(program, io);
  program.commandsGroup('This command line:');
  addContextCommands(program, io);
  addCompletionCommand(program, io);
  program.commandsGroup('Boot machines:');
  addBootCommands(program, io, onPartExit);
  program.commandsGroup('Look after the API server:');
  addDbCommands(program, io);
  program.commandsGroup('Run a part:');
  addPartCommands(program, onPartExit);
  return program;
}
