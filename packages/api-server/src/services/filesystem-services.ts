import { adminV2, ApiError, apiV2, bindService, clone, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { checkDisksFit, checkLayout, findLayout, sharedCombinations } from '../image/filesystem-layout.ts';
import { findImage } from '../image/find-image.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { allocatedWith } from '../machine/allocated-with.ts';
import type { Stores } from '../store/stores.ts';
import { entityView, labelsOnly } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { updateEntity } from './update-entity.ts';

const { FilesystemLayoutSchema } = apiV2;

/** `metalstack.api.v2.FilesystemService`. */
export function filesystemService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.FilesystemService, Caller>(apiV2.FilesystemService, {
    get: async ({ id }) => ({
      filesystemLayout: entityView(FilesystemLayoutSchema, await stores.filesystemLayouts.need(id)),
    }),
    list: async ({ id }) => ({
      filesystemLayouts: (await stores.filesystemLayouts.list())
        .filter((stored) => id === undefined || stored.id === id)
        .map((stored) => entityView(FilesystemLayoutSchema, stored)),
    }),
  });
}

/** `metalstack.admin.v2.FilesystemService`. */
export function adminFilesystemService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.FilesystemService, Caller>(adminV2.FilesystemService, {
    create: ({ filesystemLayout: sent }) =>
      stores.transaction(async (inner) => {
        const layout = sent === undefined ? create(FilesystemLayoutSchema) : clone(FilesystemLayoutSchema, sent);
        delete layout.meta;
        Object.assign(layout, labelsOnly(sent?.meta));
        await check(inner, layout);
        const stored = await inner.filesystemLayouts.create(layout.id, layout);
        return { filesystemLayout: entityView(FilesystemLayoutSchema, stored) };
      }, SERIALISED),
    update: (request) =>
      stores.transaction(async (inner) => {
        const stored = await updateEntity(inner.filesystemLayouts, request.id, request.updateMeta, (layout) => {
          const { name, description, constraints } = request;
          if (name !== undefined) layout.name = name;
          if (description !== undefined) layout.description = description;
          if (request.filesystems.length > 0) layout.filesystems = request.filesystems;
          if (request.disks.length > 0) layout.disks = request.disks;
          if (request.raid.length > 0) layout.raid = request.raid;
          if (request.volumeGroups.length > 0) layout.volumeGroups = request.volumeGroups;
          if (request.logicalVolumes.length > 0) layout.logicalVolumes = request.logicalVolumes;
          if (constraints !== undefined) layout.constraints = constraints;
        });
        await check(inner, stored.value);
        return { filesystemLayout: entityView(FilesystemLayoutSchema, stored) };
      }, SERIALISED),
    delete: ({ id }) =>
      stores.transaction(async (inner) => {
        const stored = await inner.filesystemLayouts.need(id);
        const users = await allocatedWith(inner, id, ({ allocation }) => allocation?.filesystemLayout?.id === id);
        if (users.length > 0)
          throw new ApiError(
            Code.FailedPrecondition,
            `filesystem layout "${id}" is used by ${users.length} machines (${users.slice(0, 3).join(', ')}): free those first`,
          );
        await inner.filesystemLayouts.delete(id);
        return { filesystemLayout: entityView(FilesystemLayoutSchema, stored) };
      }),
    async match({ match }) {
      switch (match.case) {
        case 'sizeAndImage': {
          const { size, image } = match.value;
          const images = (await stores.images.list()).map(({ value }) => value);
          const layouts = await stores.filesystemLayouts.list();
          const found = findLayout(
            layouts.map(({ value }) => value),
            size,
            findImage(images, image, clock.now()).id,
          );
          const stored = layouts.find(({ id }) => id === found.id);
          return stored === undefined ? {} : { filesystemLayout: entityView(FilesystemLayoutSchema, stored) };
        }
        case 'machineAndFilesystemlayout': {
          const { machine, filesystemLayout } = match.value;
          const { hardware } = (await stores.machines.need(machineIdOf(machine))).value;
          const stored = await stores.filesystemLayouts.need(filesystemLayout);
          checkDisksFit(stored.value, hardware?.disks ?? []);
          return { filesystemLayout: entityView(FilesystemLayoutSchema, stored) };
        }
        case undefined:
          throw new ApiError(
            Code.InvalidArgument,
            'match is empty: send size_and_image, or machine_and_filesystemlayout',
          );
        default:
          return match satisfies never;
      }
    },
  });
}

/** Two layouts for the same machines must not both be made. */
const SERIALISED = { serialise: 'filesystem-layout' } as const;

async function check(stores: Stores, layout: apiV2.FilesystemLayout): Promise<void> {
  const problems = checkLayout(layout);
  if (problems.length > 0)
    throw new ApiError(Code.InvalidArgument, `filesystem layout "${layout.id}": ${problems.join('; ')}`);
  for (const size of layout.constraints?.sizes ?? []) await stores.sizes.need(size);
  for (const { id, value } of await stores.filesystemLayouts.list()) {
    const shared = id === layout.id ? [] : sharedCombinations(layout, value);
    if (shared.length > 0)
      throw new ApiError(
        Code.FailedPrecondition,
        `filesystem layouts "${layout.id}" and "${id}" are both for ${shared.slice(0, 3).join(', ')}: ` +
          'take the size or the image out of one of them',
      );
  }
}
