#!/usr/bin/env node
import { surroundingsOfProcess } from './command-surroundings.ts';
import { ExitStatus } from './exit-status.ts';

/**
 * Each command loads what it needs and no more. It takes the arguments after its name, and gives the exit status: that
 * of `ExitStatus`, or, of a daemon, of `runDaemon`.
 */
const commands: Readonly<Record<string, { readonly summary: string; run(args: readonly string[]): Promise<number> }>> =
  {
    run: {
      summary: 'the daemon: registers the switch, reports its ports, and makes it what the API wants',
      async run(args) {
        if (args.includes('--plan')) return planned(args.filter((arg) => arg !== '--plan'));
        const { runDaemon } = await import('@ingot/daemon');
        const { switchAgentConfig } = await import('./config.ts');
        const { runSwitchAgent } = await import('./run.ts');
        await runDaemon({ config: switchAgentConfig, start: runSwitchAgent, argv: args });
        return Number(process.exitCode ?? 0);
      },
    },
    plan: {
      summary: 'prints what the daemon would change now, and changes nothing (also: run --plan)',
      run: (args) => planned(args),
    },
    generate: {
      summary: 'config_db.json from a short YAML: print, compare, apply',
      async run(args) {
        const { generateCommand } = await import('./generate/generate-command.ts');
        return generateCommand(args, surroundingsOfProcess());
      },
    },
    ports: {
      summary: 'port names between Cumulus and SONiC',
      async run(args) {
        const { portsCommand } = await import('./port-names/ports-command.ts');
        return portsCommand(args, surroundingsOfProcess());
      },
    },
    relay: {
      summary: 'the daemon that relays DHCP between the links of the leaf and DHCP servers',
      async run(args) {
        const { runDaemon } = await import('@ingot/daemon');
        const { switchRelayConfig } = await import('./relay/config.ts');
        const { runSwitchRelay } = await import('./relay/run.ts');
        await runDaemon({ config: switchRelayConfig, start: runSwitchRelay, argv: args });
        return Number(process.exitCode ?? 0);
      },
    },
    status: {
      summary: 'how the daemon and its switch are: heartbeat, ports, BGP, cables, what is wrong',
      async run(args) {
        const { statusCommand } = await import('./status/status-command.ts');
        return statusCommand(args, surroundingsOfProcess());
      },
    },
    validate: {
      summary: "checks config_db.json files with SONiC's YANG models, and what those leave out",
      async run(args) {
        const { validateCommand } = await import('./validate-command.ts');
        return validateCommand(args, surroundingsOfProcess());
      },
    },
  };

async function planned(args: readonly string[]): Promise<number> {
  const { planCommand } = await import('./plan-command.ts');
  return planCommand(args, surroundingsOfProcess());
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `ingot-switch: the agent of a SONiC leaf\n\n${lines.join('\n')}\n\ningot-switch COMMAND --help says more.\n`;
}

const [name, ...args] = process.argv.slice(2);
const command = name === undefined ? undefined : commands[name];
if (command === undefined) {
  const asked = name === undefined || name === '--help' || name === '-h';
  if (!asked) process.stderr.write(`ingot-switch: there is no command "${name}"\n\n`);
  (asked ? process.stdout : process.stderr).write(usage());
  process.exitCode = asked ? ExitStatus.Done : ExitStatus.Failed;
} else {
  process.exitCode = await command.run(args);
}
