import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { checkConstraints, overlaps } from '../size/check-size.ts';
import { UNKNOWN_SIZE } from '../size/match.ts';
import type { Stores } from '../store/stores.ts';
import { entityView, labelsOnly } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { SizeSchema } = apiV2;

/** `metalstack.api.v2.SizeService`. */
export function sizeService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.SizeService, Caller>(apiV2.SizeService, {
    get: async ({ id }) => ({ size: entityView(SizeSchema, await stores.sizes.need(id)) }),
    async list({ query }) {
      const sizes = (await stores.sizes.list())
        .map((stored) => entityView(SizeSchema, stored))
        .filter(
          (size) =>
            (query?.id === undefined || size.id === query.id) &&
            (query?.name === undefined || size.name === query.name) &&
            (query?.description === undefined || size.description === query.description) &&
            hasLabels(size, query?.labels),
        );
      return { sizes };
    },
  });
}

/** `metalstack.admin.v2.SizeService`. Machines keep their size until they register again. */
export function adminSizeService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.SizeService, Caller>(adminV2.SizeService, {
    create: ({ size: sent }) =>
      stores.transaction(async (inner) => {
        const { id, name, description, constraints, meta } = sent ?? create(SizeSchema);
        const size = create(SizeSchema, {
          id,
          constraints,
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description }),
          ...labelsOnly(meta),
        });
        if (id === UNKNOWN_SIZE)
          throw new ApiError(Code.InvalidArgument, `"${UNKNOWN_SIZE}" is what machines without a size have`);
        await checkSize(inner, size);
        return { size: entityView(SizeSchema, await inner.sizes.create(id, size)) };
      }, SERIALISED),
    update: ({ id, updateMeta, name, description, constraints, labels }) =>
      stores.transaction(async (inner) => {
        const stored = await updateEntity(inner.sizes, id, updateMeta, (size) => {
          if (name !== undefined) size.name = name;
          if (description !== undefined) size.description = description;
          if (constraints.length > 0) size.constraints = constraints;
          updateLabels(size, labels);
        });
        await checkSize(inner, stored.value);
        return { size: entityView(SizeSchema, stored) };
      }, SERIALISED),
    delete: ({ id }) =>
      stores.transaction(async (inner) => {
        const stored = await inner.sizes.need(id);
        await checkUnused(inner, id);
        await inner.sizes.delete(id);
        return { size: entityView(SizeSchema, stored) };
      }, SERIALISED),
  });
}

/** Two sizes that overlap must not both be made, nor a size vanish that a reservation is just made for. */
const SERIALISED = { serialise: 'size' } as const;

async function checkSize(stores: Stores, size: apiV2.Size): Promise<void> {
  const problems = checkConstraints(size.constraints);
  if (problems.length > 0) throw new ApiError(Code.InvalidArgument, `size "${size.id}": ${problems.join('; ')}`);
  const others = (await stores.sizes.list()).map(({ value }) => value).filter(({ id }) => id !== size.id);
  const overlapping = others.filter((other) => overlaps(size, other)).map(({ id }) => `"${id}"`);
  if (overlapping.length > 0) {
    throw new ApiError(
      Code.FailedPrecondition,
      `size "${size.id}" overlaps with ${overlapping.join(', ')}: a machine could be of both, and would be of none; ` +
        'make a range, an identifier or a device differ',
    );
  }
}

async function checkUnused(stores: Stores, id: string): Promise<void> {
  const machines = await stores.machines.ids({ size: id });
  const reservations = await stores.sizeReservations.count({ size: id });
  const constraint = await stores.sizeImageConstraints.get(id);
  const users = [
    ...(machines.length === 0 ? [] : [`${machines.length} machines (${machines.slice(0, 3).join(', ')})`]),
    ...(reservations === 0 ? [] : [`${reservations} reservations`]),
    ...(constraint === undefined ? [] : ['a size image constraint']),
  ];
  if (users.length === 0) return;
  throw new ApiError(Code.FailedPrecondition, `size "${id}" is used by ${users.join(', ')}: delete those first`);
}
