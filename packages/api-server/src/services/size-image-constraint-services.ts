import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { findImage } from '../image/find-image.ts';
import { checkImageConstraints, checkSizeAllowsImage } from '../image/image-constraint.ts';
import { entityView, labelsOnly } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { updateEntity } from './update-entity.ts';

const { SizeImageConstraintSchema } = apiV2;

/** `metalstack.api.v2.SizeImageConstraintService`. */
export function sizeImageConstraintService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.SizeImageConstraintService, Caller>(apiV2.SizeImageConstraintService, {
    async try({ size, image }) {
      await stores.sizes.need(size);
      const images = (await stores.images.list()).map(({ value }) => value);
      const found = findImage(images, image, clock.now());
      checkSizeAllowsImage((await stores.sizeImageConstraints.get(size))?.value, found.id);
      return {};
    },
  });
}

/** `metalstack.admin.v2.SizeImageConstraintService`. */
export function adminSizeImageConstraintService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.SizeImageConstraintService, Caller>(adminV2.SizeImageConstraintService, {
    create: ({ size, imageConstraints, name, description, meta }) =>
      stores.transaction(async (inner) => {
        await inner.sizes.need(size);
        const constraint = create(SizeImageConstraintSchema, {
          size,
          imageConstraints,
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description }),
          ...labelsOnly(meta),
        });
        check(constraint);
        const stored = await inner.sizeImageConstraints.create(size, constraint);
        return { sizeImageConstraint: entityView(SizeImageConstraintSchema, stored) };
      }),
    async update({ size, updateMeta, imageConstraints, name, description }) {
      const stored = await updateEntity(stores.sizeImageConstraints, size, updateMeta, (constraint) => {
        if (imageConstraints.length > 0) constraint.imageConstraints = imageConstraints;
        if (name !== undefined) constraint.name = name;
        if (description !== undefined) constraint.description = description;
        check(constraint);
      });
      return { sizeImageConstraint: entityView(SizeImageConstraintSchema, stored) };
    },
    delete: ({ size }) =>
      stores.transaction(async (inner) => {
        const stored = await inner.sizeImageConstraints.need(size);
        await inner.sizeImageConstraints.delete(size);
        return { sizeImageConstraint: entityView(SizeImageConstraintSchema, stored) };
      }),
    get: async ({ size }) => ({
      sizeImageConstraint: entityView(SizeImageConstraintSchema, await stores.sizeImageConstraints.need(size)),
    }),
    list: async ({ query }) => ({
      sizeImageConstraints: (await stores.sizeImageConstraints.list())
        .map((stored) => entityView(SizeImageConstraintSchema, stored))
        .filter(
          (one) =>
            (query?.size === undefined || one.size === query.size) &&
            (query?.name === undefined || one.name === query.name) &&
            (query?.description === undefined || one.description === query.description),
        ),
    }),
  });
}

function check(constraint: apiV2.SizeImageConstraint): void {
  const problems = checkImageConstraints(constraint.imageConstraints);
  if (problems.length > 0)
    throw new ApiError(Code.InvalidArgument, `size "${constraint.size}": ${problems.join('; ')}`);
}
