import { apiV2, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, longCall, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { compareNaturally } from '../names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import { given } from './given.ts';
import { fieldNames } from '../template/fields.ts';

/** `ingot image latest` and `usage`. */
export function addImageExtras(image: Command, io: CliIo): void {
  withApiFlags(
    withDescribeFlags(
      image
        .command('latest')
        .description('show the newest image of an operating system that may be installed')
        .argument('<os>', 'such as debian-12.0'),
    ),
  ).action(async (os: string, flags: DescribeFlags & ContextFlags) => {
    const { image: found } = await withApi(flags, io, (api) => api.images.latest({ os }, call));
    showOne(flags, io, found === undefined ? {} : toJson(apiV2.ImageSchema, found), fieldNames(apiV2.ImageSchema));
  });

  withApiFlags(
    withListFlags(
      image.command('usage').description('list which machines run which image: what is of no use can be removed'),
      USAGE,
    ).option('--id <id>', 'only this image'),
  ).action((flags: ListFlags & ContextFlags & { readonly id?: string }) =>
    showApiList(flags, io, USAGE, async (api) => {
      const { imageUsage } = await api.adminImages.usage({ query: given('id', flags.id) }, longCall);
      return imageUsage.sort((a, b) => compareNaturally(a.image?.id ?? '', b.image?.id ?? ''));
    }),
  );
}

const USAGE: ListView<apiV2.ImageUsage> = {
  fields: fieldNames(apiV2.ImageUsageSchema),
  columns: () => [
    { title: 'IMAGE', cell: ({ image }) => image?.id ?? '' },
    { title: 'NAME', cell: ({ image }) => image?.name ?? '' },
    { title: 'MACHINES', cell: ({ usedBy }) => String(usedBy.length) },
    { title: 'USED BY', cell: ({ usedBy }) => usedBy.join(','), wide: true },
  ],
  json: (usage) => toJson(apiV2.ImageUsageSchema, usage),
  key: ({ image }) => image?.id ?? '',
};
