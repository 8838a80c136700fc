import { ApiError, type apiV2, Code } from '@ingot/api';
import { type Api, call } from './api.ts';
import { CliError, CliErrorCode } from './errors.ts';
import { isUuid } from './machine/find.ts';
import { nearNames } from './near-names.ts';

/** The UUID of a project that is given by it, or by its name. Throws CliError with the names that are near. */
export async function projectUuid(api: Api, given: string): Promise<string> {
  if (isUuid(given)) return given.toLowerCase();
  const projects = await projectsOf(api);
  const named = projects.filter(({ name }) => name === given);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only.uuid;
  if (named.length > 1) {
    const all = named.map(({ uuid, tenant }) => `${uuid} of ${tenant}`).join(', ');
    throw new CliError(CliErrorCode.NotFound, `${named.length} projects are called ${given}; write the uuid: ${all}`);
  }
  const near = nearNames(
    given,
    projects.map(({ name }) => name),
  );
  const hint = near.length === 0 ? 'see ingot project ls' : `did you mean ${near.join(' or ')}?`;
  throw new CliError(CliErrorCode.NotFound, `there is no project ${given}; ${hint}`);
}

/** `projectUuid` of what need not be given. */
export async function projectIfGiven(api: Api, given: string | undefined): Promise<string | undefined> {
  return given === undefined ? undefined : projectUuid(api, given);
}

/** All of them for administrators, those that one is a member of for others. */
async function projectsOf(api: Api): Promise<readonly apiV2.Project[]> {
  try {
    return (await api.adminProjects.list({}, call)).projects;
  } catch (error) {
    if (error instanceof ApiError && error.code === Code.PermissionDenied)
      return (await api.projects.list({}, call)).projects;
    throw error;
  }
}
