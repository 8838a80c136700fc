import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import { uuidV7 } from '../auth/uuid-v7.ts';
import type { Caller } from '../auth/caller.ts';
import type { Stores } from '../store/stores.ts';
import { entityView, labelsOnly } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { SizeReservationSchema } = apiV2;

/** `metalstack.api.v2.SizeReservationService`: those of one project. */
export function sizeReservationService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.SizeReservationService, Caller>(apiV2.SizeReservationService, {
    async get({ id, project }) {
      const stored = await stores.sizeReservations.get(id);
      // That of another project looks like none.
      if (stored?.value.project !== project)
        throw new ApiError(Code.NotFound, `project ${project} has no size reservation ${id}`);
      return { sizeReservation: entityView(SizeReservationSchema, stored) };
    },
    list: async ({ project, query }) => ({
      sizeReservations: await listed(stores, { ...(query ?? create(apiV2.SizeReservationQuerySchema)), project }),
    }),
  });
}

/** `metalstack.admin.v2.SizeReservationService`. */
export function adminSizeReservationService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.SizeReservationService, Caller>(adminV2.SizeReservationService, {
    create: ({ sizeReservation: sent }) =>
      stores.transaction(async (inner) => {
        const { id, name, description, project, size, partitions, amount, meta } =
          sent ?? create(SizeReservationSchema);
        const reservation = create(SizeReservationSchema, {
          id: id === '' ? uuidV7(clock.now(), entropy) : id,
          name,
          description,
          project,
          size,
          partitions,
          amount,
          ...labelsOnly(meta),
        });
        await checkReferences(inner, reservation);
        const stored = await inner.sizeReservations.create(reservation.id, reservation);
        return { sizeReservation: entityView(SizeReservationSchema, stored) };
      }, SERIALISED),
    update: ({ id, updateMeta, name, description, partitions, amount, labels }) =>
      stores.transaction(async (inner) => {
        const stored = await updateEntity(inner.sizeReservations, id, updateMeta, (reservation) => {
          if (name !== undefined) reservation.name = name;
          if (description !== undefined) reservation.description = description;
          if (partitions.length > 0) reservation.partitions = partitions;
          if (amount !== undefined) reservation.amount = amount;
          updateLabels(reservation, labels);
        });
        await checkReferences(inner, stored.value);
        return { sizeReservation: entityView(SizeReservationSchema, stored) };
      }, SERIALISED),
    async delete({ id }) {
      const stored = await stores.sizeReservations.need(id);
      await stores.sizeReservations.delete(id);
      return { sizeReservation: entityView(SizeReservationSchema, stored) };
    },
    list: async ({ query }) => ({ sizeReservations: await listed(stores, query) }),
  });
}

const SERIALISED = { serialise: 'size' } as const;

async function checkReferences(stores: Stores, reservation: apiV2.SizeReservation): Promise<void> {
  await stores.sizes.need(reservation.size);
  await stores.projects.need(reservation.project);
  for (const partition of reservation.partitions) await stores.partitions.need(partition);
}

async function listed(
  stores: Stores,
  query: Partial<apiV2.SizeReservationQuery> | undefined,
): Promise<apiV2.SizeReservation[]> {
  const { id, name, description, size, project, partition, labels } = query ?? {};
  return (
    await stores.sizeReservations.list({
      ...(size === undefined ? {} : { size }),
      ...(project === undefined ? {} : { project }),
    })
  )
    .map((stored) => entityView(SizeReservationSchema, stored))
    .filter(
      (one) =>
        (id === undefined || one.id === id) &&
        (name === undefined || one.name === name) &&
        (description === undefined || one.description === description) &&
        (partition === undefined || one.partitions.includes(partition)) &&
        hasLabels(one, labels),
    );
}
