import {
  adminV2,
  ApiError,
  apiV2,
  bindService,
  Code,
  create,
  durationFromMs,
  enumText,
  timestampFromMs,
  type BoundService,
} from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { deadlineOf, KEPT_MS, maxRetryOf, RETAKEN_AFTER_MS, type BmcCommand } from '../store/bmc-command-store.ts';
import { TaskPhase, type Task } from '../store/task-store.ts';
import { WIPE_LABEL } from '../machine/wipe-label.ts';
import type { ServiceDependencies } from './context.ts';

const { TaskState } = adminV2;

/** Commands for management controllers; what the servers do again and again; machines whose disks are to be erased. */
const [BMC_QUEUE, PERIODIC_QUEUE, MACHINE_QUEUE] = ['bmc', 'periodic', 'machine'] as const;
const DEFAULT_COUNT = 100;

/** `metalstack.admin.v2.TaskService`: what is still to be done, and what came of what was done within the last day. */
export function taskService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  const wipes = async (): Promise<adminV2.TaskInfo[]> =>
    (await stores.machines.list({ wipe: 1 })).flatMap(({ value }) => wipeTask(value) ?? []);
  /** All but the commands. */
  const others = async (queue: string | undefined): Promise<adminV2.TaskInfo[]> => [
    ...(queue === undefined || queue === PERIODIC_QUEUE ? (await stores.tasks.list()).map(periodicTask) : []),
    ...(queue === undefined || queue === MACHINE_QUEUE ? await wipes() : []),
  ];
  const find = async (id: string, queue: string): Promise<BmcCommand | adminV2.TaskInfo> => {
    const command = queue === BMC_QUEUE ? await stores.bmcCommands.get(id) : undefined;
    const found = command ?? (await others(queue)).find((task) => task.id === id);
    if (found === undefined) throw new ApiError(Code.NotFound, `there is no task "${id}" in queue "${queue}"`);
    return found;
  };
  return bindService<typeof adminV2.TaskService, Caller>(adminV2.TaskService, {
    queues: () => ({ queues: [BMC_QUEUE, PERIODIC_QUEUE, MACHINE_QUEUE] }),
    async get({ taskId, queue }) {
      const found = await find(taskId, queue);
      return { task: 'machine' in found ? toTask(found, clock.now()) : found };
    },
    async list({ queue, count, page }) {
      const size = count ?? DEFAULT_COUNT;
      const from = (page ?? 0) * size;
      // The commands first: they are what somebody waits for.
      const isAsked = queue === undefined || queue === BMC_QUEUE;
      const commands = isAsked ? await stores.bmcCommands.list(size, from) : [];
      const tasks = commands.map((command) => toTask(command, clock.now()));
      if (tasks.length < size) {
        const before = isAsked ? await stores.bmcCommands.count() : 0;
        const skipped = Math.max(0, from - before);
        tasks.push(...(await others(queue)).slice(skipped, skipped + size - tasks.length));
      }
      return { tasks };
    },
    async delete({ taskId, queue }) {
      const found = await find(taskId, queue);
      if (!('machine' in found))
        throw new ApiError(
          Code.FailedPrecondition,
          queue === MACHINE_QUEUE
            ? `somebody's data may be on the machine: its disks are erased when it boots next`
            : `"${found.type}" is done again and again: there is nothing to take back`,
        );
      if (found.doneAt !== undefined)
        throw new ApiError(Code.FailedPrecondition, `task "${found.id}" is done: there is nothing to take back`);
      const had = found.deliveredAt === undefined ? '' : '; a worker had it, and may do it or have done it';
      await stores.bmcCommands.done(found.id, `taken back by an operator${had}`, false);
      return {};
    },
  });
}

/** The disks of a machine that was given back are erased when it boots; until then nobody gets it. */
function wipeTask({ uuid, meta }: apiV2.Machine): adminV2.TaskInfo | undefined {
  const order = meta?.labels?.labels[WIPE_LABEL];
  if (order === undefined) return undefined;
  return create(adminV2.TaskInfoSchema, {
    id: order,
    queue: MACHINE_QUEUE,
    type: 'machine:wipe',
    payload: json({ machine: uuid }),
    state: TaskState.PENDING,
  });
}

function periodicTask(task: Task): adminV2.TaskInfo {
  const { id, type, phase, nextAt, retried, lastError, lastFailedAt, completedAt, result } = task;
  return create(adminV2.TaskInfoSchema, {
    id,
    queue: PERIODIC_QUEUE,
    type,
    payload: json({}),
    state: PERIODIC_STATES[phase],
    retried,
    lastError,
    result: new TextEncoder().encode(result),
    ...(phase === TaskPhase.Active ? {} : { nextProcessAt: timestampFromMs(nextAt) }),
    ...(lastFailedAt === undefined ? {} : { lastFailedAt: timestampFromMs(lastFailedAt) }),
    ...(completedAt === undefined ? {} : { completedAt: timestampFromMs(completedAt) }),
  });
}

const PERIODIC_STATES: Readonly<Record<TaskPhase, adminV2.TaskState>> = {
  [TaskPhase.Scheduled]: TaskState.SCHEDULED,
  [TaskPhase.Active]: TaskState.ACTIVE,
  [TaskPhase.Retry]: TaskState.RETRY,
};

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function toTask(command: BmcCommand, now: number): adminV2.TaskInfo {
  const { id, machine, createdAt, doneAt, deliveredAt, error, retried, nextTryAt, failedAt } = command;
  return create(adminV2.TaskInfoSchema, {
    id,
    queue: BMC_QUEUE,
    type: 'machine:bmc-command',
    payload: json({ machine, command: enumText(apiV2.MachineBMCCommandSchema, command.command) }),
    state: stateOf(command),
    maxRetry: maxRetryOf(command.command),
    retried,
    lastError: error ?? '',
    timeout: durationFromMs(RETAKEN_AFTER_MS),
    retention: durationFromMs(KEPT_MS),
    deadline: timestampFromMs(deadlineOf(command)),
    isOrphaned: doneAt === undefined && deliveredAt !== undefined && now - deliveredAt > RETAKEN_AFTER_MS,
    ...(nextTryAt === undefined ? {} : { nextProcessAt: timestampFromMs(nextTryAt) }),
    ...(failedAt === undefined ? {} : { lastFailedAt: timestampFromMs(failedAt) }),
    ...(doneAt === undefined || error !== undefined
      ? {}
      : { completedAt: timestampFromMs(doneAt), result: json({ seconds: (doneAt - createdAt) / 1000 }) }),
  });
}

function stateOf({ doneAt, error, nextTryAt, deliveredAt }: BmcCommand): adminV2.TaskState {
  if (doneAt !== undefined) return error === undefined ? TaskState.COMPLETED : TaskState.ARCHIVED;
  if (nextTryAt !== undefined) return TaskState.RETRY;
  return deliveredAt === undefined ? TaskState.PENDING : TaskState.ACTIVE;
}
