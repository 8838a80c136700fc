import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { LeaseWire, MachineWire } from '@ingot/boot-server/admin';
import { whileRead } from '../interrupt.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showList } from '../list/list.ts';
import { compareNaturally } from '../names.ts';
import { withListFlags } from '../options.ts';
import { formatJson } from '../output.ts';
import { withServer, withServerFlags, type ServerFlags } from './socket.ts';
import { bootMachineColumns, leaseColumns } from './tables.ts';
import { traceHeading, traceLine } from './trace-text.ts';

const MACHINES: ListView<MachineWire> = {
  fields: undefined,
  columns: bootMachineColumns,
  json: (machine) => ({ ...machine }),
  key: ({ macs, uuid }) => macs[0] ?? uuid ?? '',
};

const LEASES: ListView<LeaseWire> = {
  fields: undefined,
  columns: leaseColumns,
  json: (lease) => ({ ...lease }),
  key: ({ address }) => address,
};

interface TraceFlags extends ServerFlags {
  readonly output: 'text' | 'json' | 'yaml';
  readonly follow?: boolean;
}

/** How often `--follow` asks for more. */
const FOLLOW_MS = 500;

/** `ingot boot machines`, `trace` and `leases`: what a running boot server sees. */
export function addLookCommands(boot: Command, io: CliIo): void {
  withServerFlags(
    withListFlags(
      boot.command('machines').description('list the machines, how far each came, and which are stuck'),
      MACHINES,
    ),
  ).action((flags: ListFlags & ServerFlags) =>
    showList(flags, io, MACHINES, async () => {
      const machines = await withServer(flags, io, (server) => server.machines());
      return machines.sort(byStuckThenMac);
    }),
  );

  withServerFlags(
    boot
      .command('trace')
      .description('replay what happened to a machine: packets, transfers, refusals, with their times')
      .argument('<machine>', 'MAC address or UUID')
      .option('-f, --follow', 'go on with what happens, until Ctrl-C')
      .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'yaml']).default('text')),
  ).action(async (machine: string, flags: TraceFlags) => {
    await trace(machine, flags, io);
  });

  withServerFlags(
    withListFlags(boot.command('leases').description('list the addresses that were given out'), LEASES),
  ).action((flags: ListFlags & ServerFlags) =>
    showList(flags, io, LEASES, async () => {
      const leases = await withServer(flags, io, (server) => server.leases());
      return leases.sort(byAddress);
    }),
  );
}

function trace(machine: string, flags: TraceFlags, io: CliIo): Promise<void> {
  return flags.follow === true
    ? whileRead(io, (signal) => show(machine, flags, io, signal))
    : show(machine, flags, io, undefined);
}

async function show(machine: string, flags: TraceFlags, io: CliIo, signal: AbortSignal | undefined): Promise<void> {
  await withServer(flags, io, async (server) => {
    let after = 0;
    for (;;) {
      const timeline = await server.timeline(machine, after);
      const { entries } = timeline;
      if (flags.output === 'text') {
        const options = { firstMs: Date.parse(timeline.first), showMac: timeline.machine.macs.length > 1 };
        if (after === 0) io.stdout(`${traceHeading(timeline.machine, io.now())}\n`);
        for (const entry of entries) io.stdout(traceLine(entry, options));
      } else if (flags.follow === true) {
        for (const entry of entries) io.stdout(`${JSON.stringify(entry)}\n`);
      } else {
        const { machine: state, first } = timeline;
        io.stdout(
          formatJson({ machine: { ...state }, first, entries: entries.map((entry) => ({ ...entry })) }, flags.output),
        );
      }
      if (flags.follow !== true) return;
      after = entries.at(-1)?.seq ?? after;
      await pause(FOLLOW_MS, undefined, signal === undefined ? {} : { signal });
    }
  });
}

function byStuckThenMac(a: MachineWire, b: MachineWire): number {
  return Number(b.stuck) - Number(a.stuck) || compareNaturally(a.macs[0] ?? '', b.macs[0] ?? '');
}

function byAddress(a: LeaseWire, b: LeaseWire): number {
  return compareNaturally(a.address, b.address);
}
