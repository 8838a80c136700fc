import { apiV2, create, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { type Api, call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { findMachine } from '../machine/find.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags, withDescribeFlags } from '../options.ts';
import { fieldNames } from '../template/fields.ts';

/** `ingot size explain` and `ingot size suggest`: why a machine is of a size, and of which one it could be. */
export function addSizeAdvice(size: Command, io: CliIo): void {
  withApiFlags(
    size
      .command('explain')
      .description('say, constraint by constraint, why a machine is of a size or is not')
      .argument('<machine>', 'its uuid, or the beginning of it'),
  ).action(async (id: string, flags: ContextFlags) => {
    const { machine, hardware, sizes } = await withApi(flags, io, async (api) => ({
      ...(await hardwareOf(api, id)),
      sizes: (await api.sizes.list({}, call)).sizes,
    }));
    // The API server and its rules are loaded for those who ask.
    const { explainSizes } = await import('@ingot/api-server');
    const lines =
      sizes.length === 0 ? ['there is no size: "ingot size suggest" writes one'] : explainSizes(sizes, hardware);
    io.stdout(
      [`machine ${machine.uuid} is of size "${machine.size?.id ?? ''}"`, ...lines].map((line) => `${line}\n`).join(''),
    );
  });

  withApiFlags(
    withDescribeFlags(
      size
        .command('suggest')
        .description('write a size that this machine is of; widen its ranges and apply it')
        .argument('<machine>', 'its uuid, or the beginning of it')
        .option('--id <id>', 'how to call the size', 'suggested'),
    ),
  ).action(async (id: string, flags: ContextFlags & DescribeFlags & { readonly id: string }) => {
    const { hardware } = await withApi(flags, io, (api) => hardwareOf(api, id));
    const { suggestConstraints } = await import('@ingot/api-server');
    const suggested = create(apiV2.SizeSchema, { id: flags.id, constraints: suggestConstraints(hardware) });
    showOne(flags, io, toJson(apiV2.SizeSchema, suggested), fieldNames(apiV2.SizeSchema));
  });
}

async function hardwareOf(
  api: Api,
  id: string,
): Promise<{ readonly machine: apiV2.Machine; readonly hardware: apiV2.MachineHardware }> {
  const machine = await findMachine(api, id);
  if (machine.hardware === undefined)
    throw new CliError(
      CliErrorCode.NotFound,
      `machine ${machine.uuid} has not registered, so its hardware is not known`,
    );
  return { machine, hardware: machine.hardware };
}
