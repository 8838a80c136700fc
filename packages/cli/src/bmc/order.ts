import { adminV2, ApiError, apiV2, Code, enumText } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { type Api, call } from '../api.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { CliIo } from '../io.ts';
import { durationText } from '../time-text.ts';

const { TaskState } = adminV2;

export interface Order {
  readonly uuid: string;
  readonly command: apiV2.MachineBMCCommand;
  readonly wait: boolean;
  /** Seconds. */
  readonly timeout: number;
  /** Ordered as this project, whose token does not see what comes of it. */
  readonly project?: string | undefined;
}

const LOOK_EVERY_MS = 1000;
/** Where the API server keeps such orders; one that has no such queue does not tell what comes of them. */
const BMC_QUEUE = 'bmc';

/**
 * Orders something of a machine's management controller, and says what came of it. Throws CliError when it failed or
 * nobody has done it in time.
 */
export async function orderOfBmc(api: Api, io: CliIo, order: Order): Promise<void> {
  const { uuid, command, wait, project } = order;
  const word = enumText(apiV2.MachineBMCCommandSchema, command);
  const before = wait && project === undefined ? await taskIds(api) : undefined;
  if (project === undefined) await api.machines.bMCCommand({ uuid, command }, call);
  else await api.projectMachines.bMCCommand({ uuid, project, command }, call);
  const said = `machine ${uuid}: ${word} was ordered`;
  if (before === undefined) return io.stdout(`${said}\n`);
  const task = (await bmcTasks(api)).find((one) => !before.has(one.id) && isAbout(one, uuid, word));
  if (task === undefined) return io.stdout(`${said}; this API server does not tell what comes of it\n`);
  const { id, queue } = task;
  await untilInterrupted(
    io,
    async (signal) => {
      const clock = io.clock ?? systemClock;
      const endMs = clock.monotonic() + order.timeout * 1000;
      for (;;) {
        const now = (await api.tasks.get({ taskId: id, queue }, { ...call, signal })).task;
        if (now?.state === TaskState.COMPLETED) return io.stdout(`machine ${uuid}: ${word} is done\n`);
        if (now?.state === TaskState.ARCHIVED)
          throw new CliError(CliErrorCode.Failed, `machine ${uuid}: ${word} failed: ${now.lastError}`);
        if (clock.monotonic() >= endMs)
          throw new CliError(
            CliErrorCode.Timeout,
            `machine ${uuid}: ${word} is not done within ${durationText(order.timeout * 1000)}, and may still be: ingot task describe ${id}`,
          );
        await clock.sleep(LOOK_EVERY_MS, signal);
      }
    },
    () => `stopped looking; ${word} stays ordered: ingot task describe ${id}, ingot task rm ${id} takes it back`,
  );
}

/** Undefined when this token may not see tasks, or the server has none. */
async function taskIds(api: Api): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set((await bmcTasks(api)).map(({ id }) => id));
  } catch (error) {
    if (error instanceof ApiError && (error.code === Code.PermissionDenied || error.code === Code.Unimplemented))
      return undefined;
    throw error;
  }
}

async function bmcTasks(api: Api): Promise<readonly adminV2.TaskInfo[]> {
  return (await api.tasks.list({ queue: BMC_QUEUE }, call)).tasks;
}

function isAbout({ payload }: adminV2.TaskInfo, uuid: string, command: string): boolean {
  const text = new TextDecoder().decode(payload);
  return text.includes(`"${uuid}"`) && text.includes(`"${command}"`);
}
