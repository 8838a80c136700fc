import type { Command } from 'commander';
import { longCall } from '../api.ts';
import type { CabledPort } from './cabling.ts';
import type { ContextFlags } from '../context.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { pick } from '../names.ts';
import { withApiFlags, withListFlags } from '../options.ts';
import { Tone } from '../style.ts';

const CABLED_PORTS: ListView<CabledPort> = {
  fields: ['switchId', 'partition', 'rack', 'port', 'identifier', 'machine', 'size', 'problems'],
  columns: () => [
    { title: 'SWITCH', cell: ({ switchId }) => switchId },
    { title: 'PORT', cell: ({ port }) => port },
    { title: 'IDENTIFIER', cell: ({ identifier }) => identifier, wide: true },
    { title: 'PARTITION', cell: ({ partition }) => partition, wide: true },
    { title: 'RACK', cell: ({ rack }) => rack },
    { title: 'MACHINE', cell: ({ machine }) => machine.uuid },
    { title: 'SIZE', cell: ({ machine }) => machine.size?.id ?? '' },
    { title: 'NAME', cell: ({ machine }) => machine.allocation?.name ?? '', wide: true },
    {
      title: 'CABLING',
      cell: ({ problems }) => (problems.length === 0 ? 'ok' : problems.join('; ')),
      tone: ({ problems }) => (problems.length === 0 ? Tone.Good : Tone.Bad),
    },
  ],
  json: ({ machine, problems, ...place }) => ({
    ...place,
    machine: machine.uuid,
    size: machine.size?.id ?? '',
    problems: [...problems],
  }),
  key: ({ switchId, port, machine }) => `${switchId} ${port} ${machine.uuid}`,
};

/** `ingot switch connected-machines`. */
export function addConnectedMachines(command: Command, io: CliIo): void {
  withApiFlags(
    withListFlags(
      command
        .command('connected-machines')
        .description('list the machines on the ports of switches, and what is wrong with their cables')
        .argument('[id]', 'only of this switch: its name, or the beginning of it'),
      CABLED_PORTS,
    ),
  ).action((id: string | undefined, flags: ListFlags & ContextFlags) =>
    showApiList(flags, io, CABLED_PORTS, async (api) => {
      // The API server and its rules are loaded for those who ask.
      const { cabledPorts } = await import('./cabling.ts');
      // All of them: what is wrong with a cable shows on the machine's other switch.
      const { switchesWithMachines } = await api.switches.connectedMachines({}, longCall);
      const only = id === undefined ? undefined : pick('switch', id, switchesWithMachines, (leaf) => leaf.id).id;
      return cabledPorts(switchesWithMachines).filter(({ switchId }) => only === undefined || switchId === only);
    }),
  );
}
