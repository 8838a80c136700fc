import type { Command } from 'commander';
import { call, withApi } from './api.ts';
import { type CabledPort, cabledPorts } from './cabling.ts';
import type { ContextFlags } from './context.ts';
import type { CliIo } from './io.ts';
import { pick } from './names.ts';
import { withApiFlags, withListFlags } from './options.ts';
import { formatList, type ListFormat } from './output.ts';
import type { Column } from './table.ts';

interface Flags extends ContextFlags {
  readonly output: ListFormat;
  readonly headers: boolean;
}

const COLUMNS: readonly Column<CabledPort>[] = [
  { title: 'SWITCH', cell: ({ switchId }) => switchId },
  { title: 'PORT', cell: ({ port }) => port },
  { title: 'IDENTIFIER', cell: ({ identifier }) => identifier, wide: true },
  { title: 'PARTITION', cell: ({ partition }) => partition, wide: true },
  { title: 'RACK', cell: ({ rack }) => rack },
  { title: 'MACHINE', cell: ({ machine }) => machine.uuid },
  { title: 'SIZE', cell: ({ machine }) => machine.size?.id ?? '' },
  { title: 'CABLING', cell: ({ problems }) => (problems.length === 0 ? 'ok' : problems.join('; ')) },
];

/** `ingot switch connected-machines`. */
export function addConnectedMachines(command: Command, io: CliIo): void {
  withApiFlags(
    withListFlags(
      command
        .command('connected-machines')
        .description('list the machines on the ports of switches, and what is wrong with their cables')
        .argument('[id]', 'only of this switch: its name, or the beginning of it'),
    ),
  ).action(async (id: string | undefined, flags: Flags) => {
    // All of them: what is wrong with a cable shows on the machine's other switch.
    const { switchesWithMachines } = await withApi(flags, io, (api) => api.switches.connectedMachines({}, call));
    const only = id === undefined ? undefined : pick('switch', id, switchesWithMachines, (leaf) => leaf.id).id;
    io.stdout(
      formatList(
        cabledPorts(switchesWithMachines).filter(({ switchId }) => only === undefined || switchId === only),
        {
          format: flags.output,
          headers: flags.headers,
          columns: COLUMNS,
          json: ({ machine, problems, ...place }) => ({
            ...place,
            machine: machine.uuid,
            size: machine.size?.id ?? '',
            problems: [...problems],
          }),
        },
      ),
    );
  });
}
