import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

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
  bmc: {
    description: 'run the worker for management controllers (--help says more)',
    run: async (argv) => {
      const [{ runDaemon }, { bmcAgentConfig, runBmcAgent }] = await Promise.all([
        import('@ingot/daemon'),
        import('@ingot/bmc-agent'),
      ]);
      await runDaemon({ config: bmcAgentConfig, start: runBmcAgent, argv });
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
