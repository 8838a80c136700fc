import {
  adminV2,
  ApiError,
  apiV2,
  bindService,
  Code,
  create,
  enumText,
  timestampFromMs,
  type BoundService,
} from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { FORGOTTEN_AFTER_MS, type BmcCommand } from '../store/bmc-command-store.ts';
import type { ServiceDependencies } from './context.ts';

const { TaskState } = adminV2;

/** The one queue: commands for management controllers. All else is done within its call. */
const QUEUE = 'bmc';
const DEFAULT_COUNT = 100;

/** `metalstack.admin.v2.TaskService`: what is still to be done, and what came of what was done within the last day. */
export function taskService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  const find = async (id: string, queue: string): Promise<BmcCommand> => {
    const found = queue === '' || queue === QUEUE ? await stores.bmcCommands.get(id) : undefined;
    if (found === undefined) throw new ApiError(Code.NotFound, `there is no task "${id}" in queue "${queue}"`);
    return found;
  };
  return bindService<typeof adminV2.TaskService, Caller>(adminV2.TaskService, {
    queues: () => ({ queues: [QUEUE] }),
    get: async ({ taskId, queue }) => ({ task: toTask(await find(taskId, queue), clock.now()) }),
    async list({ queue, count, page }) {
      if (queue !== undefined && queue !== QUEUE) return { tasks: [] };
      const size = count ?? DEFAULT_COUNT;
      const commands = await stores.bmcCommands.list(size, (page ?? 0) * size);
      return { tasks: commands.map((command) => toTask(command, clock.now())) };
    },
    async delete({ taskId, queue }) {
      const { id, doneAt } = await find(taskId, queue);
      if (doneAt !== undefined)
        throw new ApiError(Code.FailedPrecondition, `task "${id}" is done: there is nothing to take back`);
      await stores.bmcCommands.done(id, 'taken back by an operator');
      return {};
    },
  });
}

function toTask(command: BmcCommand, now: number): adminV2.TaskInfo {
  const { id, machine, createdAt, doneAt, deliveredAt, error } = command;
  const isLost = doneAt === undefined && now - createdAt > FORGOTTEN_AFTER_MS;
  const text = new TextEncoder();
  return create(adminV2.TaskInfoSchema, {
    id,
    queue: QUEUE,
    type: 'machine:bmc-command',
    payload: text.encode(
      JSON.stringify({ machine, command: enumText(apiV2.MachineBMCCommandSchema, command.command) }),
    ),
    state: isLost
      ? TaskState.ARCHIVED
      : doneAt !== undefined
        ? error === undefined
          ? TaskState.COMPLETED
          : TaskState.ARCHIVED
        : deliveredAt === undefined
          ? TaskState.PENDING
          : TaskState.ACTIVE,
    lastError: error ?? (isLost ? 'nobody took it in time: is the BMC service of the partition running?' : ''),
    deadline: timestampFromMs(createdAt + FORGOTTEN_AFTER_MS),
    ...(doneAt === undefined || error !== undefined ? {} : { completedAt: timestampFromMs(doneAt) }),
    ...(doneAt === undefined || error === undefined ? {} : { lastFailedAt: timestampFromMs(doneAt) }),
  });
}
