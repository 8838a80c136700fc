import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { addBmcCommands } from './bmc/commands.ts';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';

/** Runs one part of Ingot with the arguments behind its name; answers the exit status, undefined if it sets its own. */
type RunPart = (argv: readonly string[]) => Promise<number | undefined>;

/** The parts that are programs of their own. Each is loaded when it is asked for, so that `machine ls` stays quick. */
const PARTS: Readonly<Record<string, { readonly description: string; readonly run: RunPart }>> = {
  'api-server': {
    description: 'run the API server (--help says more)',
    run: async (argv) => {
      const [{ runDaemon }, { apiServerConfig, runApiServer }] = await Promise.all([
        import('@ingot/daemon'),
        import('@ingot/api-server'),
      ]);
      await runDaemon({ config: apiServerConfig, start: runApiServer, argv });
      return undefined;
    },
  },
  'boot-server': {
    description: 'run the boot server: DHCP, PXE, TFTP and HTTP (--help says more)',
    run: async (argv) => {
      const [{ runDaemon }, { bootServerConfig, runBootServer }] = await Promise.all([
        import('@ingot/daemon'),
        import('@ingot/boot-server'),
      ]);
      await runDaemon({ config: bootServerConfig, start: runBootServer, argv });
      return undefined;
    },
  },
  'switch-agent': {
    description: 'run the agent of a SONiC leaf (--help says more)',
    run: async (argv) => {
      const [{ runDaemon }, { runSwitchAgent, switchAgentConfig }] = await Promise.all([
        import('@ingot/daemon'),
        import('@ingot/switch-agent'),
      ]);
      await runDaemon({ config: switchAgentConfig, start: runSwitchAgent, argv });
      return undefined;
    },
  },
  'switch-relay': {
    description: 'run the DHCP relay of a SONiC leaf (--help says more)',
    run: async (argv) => {
      const [{ runDaemon }, { runSwitchRelay, switchRelayConfig }] = await Promise.all([
        import('@ingot/daemon'),
        import('@ingot/switch-agent'),
      ]);
      await runDaemon({ config: switchRelayConfig, start: runSwitchRelay, argv });
      return undefined;
    },
  },
  lab: {
    description: 'run the virtual rack (--help says more)',
    run: async (argv) => {
      const { labCommand } = await import('@ingot/lab');
      return labCommand(argv, {
        root: fileURLToPath(new URL('../../..', import.meta.url)),
        ingot: [
          process.execPath,
          '--disable-warning=ExperimentalWarning',
          fileURLToPath(new URL('main.ts', import.meta.url)),
        ],
      });
    },
  },
};

async function runBmc(argv: readonly string[]): Promise<void> {
  const [{ runDaemon }, { bmcAgentConfig, runBmcAgent }] = await Promise.all([
    import('@ingot/daemon'),
    import('@ingot/bmc-agent'),
  ]);
  await runDaemon({ config: bmcAgentConfig, start: runBmcAgent, argv });
}

/**
 * `ingot bmc`: with one of its words what operators ask about management controllers, with anything else the worker that
 * speaks to them, as its unit starts it.
 */
export function addBmcPartCommand(program: Command, io: CliIo, onExit: (status: number | undefined) => void): void {
  const run = async (argv: readonly string[]): Promise<void> => {
    const [word] = argv;
    if (word !== undefined && !word.startsWith('-'))
      throw new CliError(CliErrorCode.Argument, `there is no "ingot bmc ${word}": see ingot bmc --help`);
    await runBmc(argv);
    onExit(undefined);
  };
  const bmc = program
    .command('bmc')
    .description('ask about management controllers and have them do something; "bmc run" is the worker that does it')
    .helpCommand(false)
    .argument('[arguments...]', 'of the worker, which runs when none of the commands below is meant')
    .allowUnknownOption()
    .passThroughOptions()
    .action(run);
  addBmcCommands(bmc, io);
  bmc
    .command('run')
    .description('run the worker for management controllers (--help says more)')
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(run);
}

/** Adds a command for each part; everything behind its name, `--help` included, is the part's own. */
export function addPartCommands(program: Command, onExit: (status: number | undefined) => void): void {
  for (const [name, part] of Object.entries(PARTS)) {
    program
      .command(name)
      .description(part.description)
      .argument('[arguments...]')
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (argv: readonly string[]) => {
        onExit(await part.run(argv));
      });
  }
}
