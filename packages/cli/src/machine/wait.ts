import { ApiError } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { type Api, call } from '../api.ts';
import { CliError } from '../errors.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { CliIo } from '../io.ts';
import { followMachine } from './follow.ts';

interface Waited {
  readonly uuid: string;
  readonly project: string;
  /** Whether the project asks, or an administrator. */
  readonly asProject: boolean;
  readonly name: string;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * Shows how an allocated machine comes along until it has phoned home. The allocation stays, whatever happens to the
 * command. Throws CliError that says how to go on.
 */
export async function waitForMachine(
  api: Api,
  io: CliIo,
  { uuid, project, asProject, name, timeout }: Waited,
): Promise<void> {
  const goOn = `${name} stays allocated. Look on: ingot machine wait ${uuid} --project ${project}\nGive it back: ingot machine rm ${uuid}`;
  // The display is loaded for those who wait.
  const { openProgress } = await import('./progress.ts');
  const progress = openProgress(io);
  await untilInterrupted(
    io,
    async (signal) => {
      try {
        await followMachine({
          look: async () =>
            asProject
              ? (await api.projectMachines.get({ uuid, project }, { ...call, signal })).machine
              : (await api.machines.get({ uuid }, { ...call, signal })).machine,
          onStanding: (standing) => progress.standing(standing),
          onAway: (error) => progress.say(`the API server does not answer, asking again: ${error.message}`),
          clock: io.clock ?? systemClock,
          timeoutMs: timeout * 1000,
          signal,
        });
        await progress.close(undefined);
      } catch (error) {
        const known = error instanceof ApiError && !signal.aborted ? api.explain(error) : error;
        await progress.close(signal.aborted ? 'not looked at any more' : known instanceof Error ? known.message : '');
        if (!(known instanceof CliError)) throw known;
        throw new CliError(known.code, `machine ${uuid}: ${known.message}\n${goOn}`, known);
      }
    },
    () => `stopped looking. ${goOn}`,
  );
}
