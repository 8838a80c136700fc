import { apiV2, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { findMachine } from '../machine/find.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags, withDescribeFlags } from '../options.ts';
import { fieldNames } from '../template/fields.ts';

/** `ingot size-image-constraint try`. */
export function addTryCommand(constraint: Command, io: CliIo): void {
  withApiFlags(
    constraint
      .command('try')
      .description('say whether machines of a size may be installed with an image')
      .argument('<size>', 'id of the size')
      .argument('<image>', 'id of the image'),
  ).action(async (size: string, image: string, flags: ContextFlags) => {
    await withApi(flags, io, (api) => api.trySizeImageConstraints.try({ size, image }, call));
    io.stdout(`machines of size ${size} may be installed with ${image}\n`);
  });
}

interface MatchFlags extends DescribeFlags, ContextFlags {
  readonly size?: string;
  readonly image?: string;
  readonly machine?: string;
  readonly filesystemLayout?: string;
}

/** `ingot filesystem-layout match`. */
export function addLayoutMatchCommand(layout: Command, io: CliIo): void {
  withApiFlags(
    withDescribeFlags(
      layout
        .command('match')
        .description('show the layout that a size and an image get, or whether a layout fits the disks of a machine')
        .option('--size <id>', 'size, together with --image')
        .option('--image <id>', 'image, together with --size')
        .option('--machine <id>', 'machine, together with --filesystem-layout')
        .option('--filesystem-layout <id>', 'layout, together with --machine'),
    ),
  ).action(async (flags: MatchFlags) => {
    const { size, image, machine, filesystemLayout } = flags;
    const found = await withApi(flags, io, async (api) => {
      if (size !== undefined && image !== undefined && machine === undefined && filesystemLayout === undefined)
        return api.adminFilesystems.match({ match: { case: 'sizeAndImage', value: { size, image } } }, call);
      if (machine !== undefined && filesystemLayout !== undefined && size === undefined && image === undefined) {
        const { uuid } = await findMachine(api, machine);
        const value = { machine: uuid, filesystemLayout };
        return api.adminFilesystems.match({ match: { case: 'machineAndFilesystemlayout', value } }, call);
      }
      throw new CliError(CliErrorCode.Argument, 'give --size and --image, or --machine and --filesystem-layout');
    });
    const { filesystemLayout: layoutFound } = found;
    showOne(
      flags,
      io,
      layoutFound === undefined ? {} : toJson(apiV2.FilesystemLayoutSchema, layoutFound),
      fieldNames(apiV2.FilesystemLayoutSchema),
    );
  });
}
