import { ApiError, apiV2, Code, create, timestampMs } from '@ingot/api';
import type { EntityTable, Stored } from '../store/entity-table.ts';

const { OptimisticLockingStrategy: Strategy } = apiV2;

/**
 * Changes an entity as `update_meta` asks: with strategy CLIENT (also when none is given) only if nobody has changed it
 * since the client read it, else `Aborted`; with SERVER whatever has happened meanwhile. Throws `NotFound`, and what
 * `edit` throws.
 */
export function updateEntity<T, Column extends string>(
  table: EntityTable<T, Column>,
  id: string,
  meta: apiV2.UpdateMeta | undefined,
  edit: (value: T) => void,
): Promise<Stored<T>> {
  return table.edit(id, (value, stored) => {
    if (meta?.lockingStrategy !== Strategy.SERVER) checkUnchanged(id, stored, meta?.updatedAt);
    edit(value);
  });
}

function checkUnchanged(id: string, stored: Stored<unknown>, seen: apiV2.UpdateMeta['updatedAt']): void {
  if (seen === undefined) {
    throw new ApiError(
      Code.InvalidArgument,
      'update_meta.updated_at is missing: send meta.updated_at of what you have read, or locking_strategy SERVER',
    );
  }
  if (timestampMs(seen) === stored.updatedAt) return;
  throw new ApiError(
    Code.Aborted,
    `"${id}" was changed by somebody else at ${new Date(stored.updatedAt).toISOString()}: get it again, and repeat your change on it`,
  );
}

/** What every entity has. */
interface Labelled {
  meta?: apiV2.Meta | undefined;
}

/** Replaces or patches the labels of an entity; nothing without `update`. */
export function updateLabels(entity: Labelled, update: apiV2.UpdateLabels | undefined): void {
  const before = entity.meta?.labels?.labels ?? {};
  const labels = changed(before, update);
  if (labels === undefined) return;
  entity.meta ??= create(apiV2.MetaSchema);
  entity.meta.labels = create(apiV2.LabelsSchema, { labels });
}

function changed(
  before: Readonly<Record<string, string>>,
  update: apiV2.UpdateLabels | undefined,
): Record<string, string> | undefined {
  const strategy = update?.strategy;
  switch (strategy?.case) {
    case undefined:
      return undefined;
    case 'replace':
      return { ...strategy.value.labels };
    case 'patch': {
      const removed = new Set(strategy.value.remove);
      const kept = Object.entries(before).filter(([key]) => !removed.has(key));
      return { ...Object.fromEntries(kept), ...strategy.value.update?.labels };
    }
    default:
      return strategy satisfies never;
  }
}

/** Whether an entity has all of these labels. */
export function hasLabels(entity: Labelled, wanted: apiV2.Labels | undefined): boolean {
  const labels = entity.meta?.labels?.labels ?? {};
  return Object.entries(wanted?.labels ?? {}).every(([key, value]) => labels[key] === value);
}
