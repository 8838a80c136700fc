import { apiV2 } from '@ingot/api';
import { type Api, call, longCall } from '../api.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { pick } from '../names.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether it is a UUID that is written out. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * The machine with that uuid, or the only one whose uuid begins so, or that its project calls so; of a project, if one is
 * given: a token of that project is enough then. Throws CliError and ApiError.
 */
export async function findMachine(api: Api, id: string, project?: string): Promise<apiV2.Machine> {
  if (isUuid(id)) {
    const uuid = id.toLowerCase();
    const { machine } =
      project === undefined
        ? await api.machines.get({ uuid }, call)
        : await api.projectMachines.get({ uuid, project }, call);
    if (machine !== undefined) return machine;
  }
  const list = async (query: { readonly name?: string }): Promise<readonly apiV2.Machine[]> =>
    project === undefined
      ? (await api.machines.list({ query }, longCall)).machines
      : (await api.projectMachines.list({ project, query }, longCall)).machines;
  // Before all machines are fetched, of which there may be thousands.
  const named = (await list({ name: id })).filter(({ allocation }) => allocation?.name === id);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  if (named.length > 1)
    throw new CliError(
      CliErrorCode.NotFound,
      `${named.length} machines are called ${id}; write the uuid: ${named.map(({ uuid }) => uuid).join(', ')}`,
    );
  const machines = await list({});
  if (project !== undefined && machines.length === 0)
    throw new CliError(CliErrorCode.NotFound, `project ${project} has no machines, so none is ${id}`);
  return pick('machine', id, machines, ({ uuid }) => uuid);
}
