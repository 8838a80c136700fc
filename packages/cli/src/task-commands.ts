import { adminV2, enumText, timestampDate, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { type DescribeFlags, showOne } from './describe.ts';
import type { CliIo } from './io.ts';
import { type ListFlags, type ListView, showApiList } from './list/list.ts';
import { parseCount, withApiFlags, withDescribeFlags, withListFlags } from './options.ts';
import type { Json } from './output.ts';
import { given } from './resources/given.ts';
import { isObject } from './resources/resource.ts';
import { Tone } from './style.ts';
import { fieldNames } from './template/fields.ts';

const { TaskState } = adminV2;

interface TaskListFlags extends ListFlags, ContextFlags {
  readonly queue?: string;
  readonly count?: number;
  readonly page?: number;
}

interface QueueFlags extends ContextFlags {
  readonly queue: string;
}

/** `ingot task`: what takes longer than a call. */
export function addTaskCommands(program: Command, io: CliIo): void {
  const task = program
    .command('task')
    .description('see what the API server has others do, and what came of it')
    .helpCommand(false);

  withApiFlags(
    withListFlags(task.command('ls').alias('list').description('list the tasks'), TASKS)
      .option('--queue <name>', 'only this queue')
      .option('--count <count>', 'so many on a page', parseCount(1, 10_000))
      .option('--page <number>', 'which page, from 0', parseCount(0, 1_000_000)),
  ).action((flags: TaskListFlags) => {
    const { queue, count, page } = flags;
    const request = { ...given('queue', queue), ...given('count', count), ...given('page', page) };
    return showApiList(flags, io, TASKS, async (api) => (await api.tasks.list(request, call)).tasks);
  });

  withApiFlags(task.command('queues').description('list the queues')).action(async (flags: ContextFlags) => {
    const { queues } = await withApi(flags, io, (api) => api.tasks.queues({}, call));
    io.stdout(queues.map((queue) => `${queue}\n`).join(''));
  });

  withApiFlags(
    withDescribeFlags(
      withQueue(task.command('describe').description('show a task').argument('<id>', 'as ingot task ls shows it')),
    ),
  ).action(async (taskId: string, flags: DescribeFlags & QueueFlags) => {
    const { queue } = flags;
    const { task: found } = await withApi(flags, io, (api) => api.tasks.get({ taskId, queue }, call));
    showOne(flags, io, found === undefined ? {} : taskJson(found), fieldNames(adminV2.TaskInfoSchema));
  });

  withApiFlags(
    withQueue(
      task
        .command('rm')
        .alias('delete')
        .description('take a task back that is not done yet')
        .argument('<id>', 'as ingot task ls shows it'),
    ),
  ).action(async (taskId: string, flags: QueueFlags) => {
    await withApi(flags, io, (api) => api.tasks.delete({ taskId, queue: flags.queue }, call));
    io.stdout(`task ${taskId} taken back\n`);
  });
}

function withQueue(command: Command): Command {
  return command.option('--queue <name>', 'in which queue', 'bmc');
}

const TASKS: ListView<adminV2.TaskInfo> = {
  fields: fieldNames(adminV2.TaskInfoSchema),
  columns: () => [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'QUEUE', cell: ({ queue }) => queue, wide: true },
    { title: 'TYPE', cell: ({ type }) => type },
    { title: 'ABOUT', cell: ({ payload }) => textOf(payload) },
    {
      title: 'STATE',
      cell: ({ state }) => enumText(adminV2.TaskStateSchema, state),
      tone: ({ state }) =>
        state === TaskState.ARCHIVED ? Tone.Bad : state === TaskState.COMPLETED ? Tone.Good : undefined,
    },
    {
      title: 'DONE',
      cell: ({ completedAt, lastFailedAt }) => {
        const time = completedAt ?? lastFailedAt;
        return time === undefined ? '' : timestampDate(time).toISOString();
      },
      wide: true,
    },
    { title: 'LAST ERROR', cell: ({ lastError }) => lastError },
  ],
  json: taskJson,
  key: ({ id, queue }) => `${queue} ${id}`,
};

/** The contract has bytes for what is text in practice, and JSON would show it in base64. */
function taskJson(task: adminV2.TaskInfo): Json {
  const json = toJson(adminV2.TaskInfoSchema, task);
  return isObject(json) ? { ...json, payload: textOf(task.payload), result: textOf(task.result) } : json;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
