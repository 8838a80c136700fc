import { ApiError, Code } from '@ingot/api';
import type { Api } from '../api.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { pick } from '../names.ts';
import type { Item, Resource } from './resource.ts';

/** The one with this id, or the only one whose id, or name, is or begins so. Throws CliError and ApiError. */
export async function findItem(api: Api, resource: Resource, id: string, scope?: string): Promise<Item> {
  const whole = await wholeItem(api, resource, id, scope);
  if (whole !== undefined) return whole;
  const items = await listItems(api, resource, scope);
  const same = items.filter((item) => item.id === id);
  if (same.length > 1)
    throw new CliError(
      CliErrorCode.Argument,
      `${resource.kind} ${id} is there ${same.length} times, in several namespaces; say whose with --project`,
    );
  const named = items.filter(({ json }) => json['name'] === id);
  const [only] = named;
  return only !== undefined && named.length === 1 ? only : pick(resource.kind, id, items, (item) => item.id);
}

/** The one with exactly this id: nothing is changed or removed by the beginning of its name. Throws CliError. */
export async function exactItem(api: Api, resource: Resource, id: string, scope?: string): Promise<Item> {
  const near = await findItem(api, resource, id, scope);
  if (near.id === id) return near;
  throw new CliError(CliErrorCode.Argument, `there is no ${resource.kind} ${id}; write ${near.id} if that is meant`);
}

export function listItems(api: Api, resource: Resource, scope: string | undefined): Promise<Item[]> {
  return scope === undefined || resource.scope === undefined ? resource.list(api) : resource.scope.list(api, scope);
}

async function wholeItem(
  api: Api,
  resource: Resource,
  id: string,
  scope: string | undefined,
): Promise<Item | undefined> {
  try {
    return await resource.get?.(api, id, scope);
  } catch (error) {
    // It may be the beginning of an id, which breaks the rules of a whole one.
    if (error instanceof ApiError && (error.code === Code.NotFound || error.code === Code.InvalidArgument))
      return undefined;
    throw error;
  }
}
