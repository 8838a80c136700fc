import { ApiError } from '@ingot/api';
import { type Command, Option } from 'commander';
import { askOnce } from '../ask-once.ts';
import { withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { findMachine } from './find.ts';
import type { CliIo } from '../io.ts';
import { parseDuration, withApiFlags } from '../options.ts';
import { projectIfGiven, projectUuid } from '../project-name.ts';
import { requestOf, withCreateFlags, type CreateFlags } from './create-flags.ts';
import { waitForMachine } from './wait.ts';

interface WaitFlags extends ContextFlags {
  readonly timeout: number;
}

/** An allocation waits for the others of its partition. */
const CREATE_TIMEOUT_MS = 30_000;
const DEFAULT_WAIT_S = 1800;

/** `ingot machine create` and `wait`. */
export function addMachineCreateCommands(machine: Command, io: CliIo): void {
  withApiFlags(
    withTimeout(
      withCreateFlags(
        machine
          .command('create')
          .description('give a machine to a project, and show how it comes along until it has phoned home')
          .argument('<name>', 'how the project calls it'),
      ).option('--no-wait', 'end as soon as the machine is given'),
    ),
  ).action(async (name: string, flags: CreateFlags & WaitFlags & { readonly wait: boolean }) => {
    // Files are read, and wrong flags refused, before anything is asked.
    const wanted = await requestOf(io, name, flags);
    await withApi(flags, io, async (api) => {
      const project = await projectUuid(api, flags.project);
      const request = { ...wanted, project };
      let uuid = '';
      try {
        const { machine: made } = await askOnce(io, CREATE_TIMEOUT_MS, (options) =>
          api.projectMachines.create(request, options),
        );
        uuid = made?.uuid ?? '';
        const addresses = made?.allocation?.networks.flatMap(({ network, ips }) =>
          ips.map((ip) => `${ip} in ${network}`),
        );
        io.stdout(`machine ${uuid} is ${name}: ${(addresses ?? []).join(', ')}\n`);
      } catch (error) {
        throw unsure(error instanceof ApiError ? api.explain(error) : error, project, name);
      }
      const { wait, timeout } = flags;
      if (wait) await waitForMachine(api, io, { uuid, project, asProject: true, name, timeout });
    });
  });

  withApiFlags(
    withTimeout(
      machine
        .command('wait')
        .description('show how an allocated machine comes along until it has phoned home')
        .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
        .option('--project <uuid|name>', 'whose it is; enough for this is a token of the project'),
    ),
  ).action(async (id: string, flags: WaitFlags & { readonly project?: string }) => {
    await withApi(flags, io, async (api) => {
      const { uuid, allocation } = await findMachine(api, id, await projectIfGiven(api, flags.project));
      if (allocation === undefined)
        throw new CliError(CliErrorCode.Argument, `machine ${uuid} belongs to nobody, so there is nothing to wait for`);
      const { project, name } = allocation;
      const asProject = flags.project !== undefined;
      await waitForMachine(api, io, { uuid, project, asProject, name, timeout: flags.timeout });
      io.stdout(`machine ${uuid} is ${name}, and has phoned home\n`);
    });
  });
}

function withTimeout(command: Command): Command {
  return command.addOption(
    new Option('--timeout <duration>', 'how long to wait for it')
      .argParser(parseDuration)
      .default(DEFAULT_WAIT_S, '30m'),
  );
}

/** Without an answer nobody knows whether the machine was given. */
function unsure(known: unknown, project: string, name: string): unknown {
  if (!(known instanceof CliError) || known.code !== CliErrorCode.Unreachable) return known;
  return new CliError(
    known.code,
    `${known.message}\nThe machine may have been given all the same: see ingot machine ls --project ${project} --name ${name} before you try again.`,
    known,
  );
}
