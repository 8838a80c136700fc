import { adminV2, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { longCall } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { compareNaturally } from '../names.ts';
import { withApiFlags, withListFlags } from '../options.ts';
import { Tone } from '../style.ts';
import { given } from './given.ts';
import { isObject } from './resource.ts';
import { fieldNames } from '../template/fields.ts';
import { projectIfGiven } from '../project-name.ts';

interface CapacityFlags extends ListFlags, ContextFlags {
  readonly id?: string;
  readonly size?: string;
  readonly project?: string;
}

interface Row {
  readonly partition: string;
  readonly capacity: adminV2.MachineSizeCapacity;
}

/** `ingot partition capacity`. */
export function addCapacityCommand(partition: Command, io: CliIo): void {
  withApiFlags(
    withListFlags(
      partition
        .command('capacity')
        .description('list how many machines of each size there are, are given away, are free, and are out of order'),
      CAPACITY,
    )
      .option('--id <id>', 'only this partition')
      .option('--size <id>', 'only this size')
      .option('--project <uuid|name>', 'what is free for this project, whose own reservations do not stand in its way'),
  ).action((flags: CapacityFlags) => {
    const { id, size } = flags;
    return showApiList(flags, io, CAPACITY, async (api) => {
      const project = await projectIfGiven(api, flags.project);
      const request = { ...given('id', id), ...given('size', size), ...given('project', project) };
      const { partitionCapacity } = await api.adminPartitions.capacity(request, longCall);
      return partitionCapacity
        .flatMap((one) => one.machineSizeCapacities.map((capacity) => ({ partition: one.partition, capacity })))
        .sort(
          (a, b) => compareNaturally(a.partition, b.partition) || compareNaturally(a.capacity.size, b.capacity.size),
        );
    });
  });
}

const CAPACITY: ListView<Row> = {
  fields: fieldNames(adminV2.MachineSizeCapacitySchema, 'partition'),
  columns: () => [
    { title: 'PARTITION', cell: ({ partition }) => partition },
    { title: 'SIZE', cell: ({ capacity }) => capacity.size },
    { title: 'TOTAL', cell: ({ capacity }) => String(capacity.total) },
    { title: 'ALLOCATED', cell: ({ capacity }) => String(capacity.allocated) },
    {
      title: 'FREE',
      cell: ({ capacity }) => String(capacity.free),
      tone: ({ capacity }) => (capacity.free === 0n ? Tone.Warn : undefined),
    },
    { title: 'ALLOCATABLE', cell: ({ capacity }) => String(capacity.allocatable), wide: true },
    {
      title: 'RESERVED',
      cell: ({ capacity }) => `${capacity.usedReservations}/${capacity.reservations}`,
    },
    { title: 'UNAVAILABLE', cell: ({ capacity }) => String(capacity.unavailable) },
    {
      title: 'FAULTY',
      cell: ({ capacity }) => String(capacity.faulty),
      tone: ({ capacity }) => (capacity.faulty > 0n ? Tone.Bad : undefined),
    },
    { title: 'PHONED HOME', cell: ({ capacity }) => String(capacity.phonedHome), wide: true },
    { title: 'WAITING', cell: ({ capacity }) => String(capacity.waiting), wide: true },
    { title: 'OTHER', cell: ({ capacity }) => String(capacity.other), wide: true },
    { title: 'FAULTY MACHINES', cell: ({ capacity }) => capacity.faultyMachines.join(','), wide: true },
  ],
  json: ({ partition, capacity }) => {
    const json = toJson(adminV2.MachineSizeCapacitySchema, capacity);
    return { partition, ...(isObject(json) ? json : {}) };
  },
  key: ({ partition, capacity }) => `${partition} ${capacity.size}`,
};
