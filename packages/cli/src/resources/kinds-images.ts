import { apiV2 } from '@ingot/api';
import { call } from '../api.ts';
import { type Cell, enumTexts } from './cells.ts';
import { given } from './given.ts';
import { resource, textAt, type Resource } from './resource.ts';
import { labelsOf } from './shared.ts';

export const IMAGE: Resource = resource({
  kind: 'image',
  needs: ['id', 'url', 'features'],
  description: 'operating systems to install',
  schema: apiV2.ImageSchema,
  columns: [
    { title: 'ID', value: 'id' },
    { title: 'NAME', value: 'name' },
    { title: 'FEATURES', value: ({ features }) => enumTexts(features, 'IMAGE_FEATURE_') },
    { title: 'CLASSIFICATION', value: ({ classification }) => enumTexts(classification, 'IMAGE_CLASSIFICATION_') },
    { title: 'EXPIRES', value: 'expiresAt' },
    { title: 'URL', value: 'url', wide: true },
  ],
  get: async (api, id) => (await api.images.get({ id }, call)).image,
  idOf: ({ id }) => id,
  list: async (api) => (await api.images.list({}, call)).images,
  create: async (api, image) => (await api.adminImages.create({ image }, call)).image,
  update: async (api, id, message, updateMeta) =>
    (
      await api.adminImages.update(
        {
          id,
          updateMeta,
          url: message.url,
          ...given('name', message.name),
          ...given('description', message.description),
          features: message.features,
          classification: message.classification,
          ...given('expiresAt', message.expiresAt),
          ...labelsOf(message),
        },
        call,
      )
    ).image,
  remove: (api, id) => api.adminImages.delete({ id }, call),
});

export const SIZE_IMAGE_CONSTRAINT: Resource = resource({
  kind: 'size-image-constraint',
  needs: ['size'],
  description: 'which images machines of a size may be installed with',
  schema: apiV2.SizeImageConstraintSchema,
  columns: [
    { title: 'SIZE', value: 'size' },
    { title: 'DESCRIPTION', value: 'description' },
    { title: 'IMAGES', value: ({ imageConstraints }) => rangesText(imageConstraints) },
  ],
  get: async (api, size) => (await api.sizeImageConstraints.get({ size }, call)).sizeImageConstraint,
  idOf: ({ size }) => size,
  list: async (api) => (await api.sizeImageConstraints.list({}, call)).sizeImageConstraints,
  create: async (api, message) =>
    (await api.sizeImageConstraints.create(constraintFields(message), call)).sizeImageConstraint,
  update: async (api, _size, message, updateMeta) =>
    (await api.sizeImageConstraints.update({ ...constraintFields(message), updateMeta }, call)).sizeImageConstraint,
  changeable: { labelled: false },
  remove: (api, size) => api.sizeImageConstraints.delete({ size }, call),
});

export const FILESYSTEM_LAYOUT: Resource = resource({
  kind: 'filesystem-layout',
  needs: ['id'],
  description: 'how disks are partitioned and formatted',
  schema: apiV2.FilesystemLayoutSchema,
  columns: [
    { title: 'ID', value: 'id' },
    { title: 'DESCRIPTION', value: 'description' },
    { title: 'SIZES', value: 'constraints.sizes' },
    { title: 'IMAGES', value: ({ constraints }) => textAt(constraints, 'images') },
  ],
  get: async (api, id) => (await api.filesystems.get({ id }, call)).filesystemLayout,
  idOf: ({ id }) => id,
  list: async (api) => (await api.filesystems.list({}, call)).filesystemLayouts,
  create: async (api, filesystemLayout) =>
    (await api.adminFilesystems.create({ filesystemLayout }, call)).filesystemLayout,
  update: async (api, id, message, updateMeta) =>
    (
      await api.adminFilesystems.update(
        {
          id,
          updateMeta,
          ...given('name', message.name),
          ...given('description', message.description),
          filesystems: message.filesystems,
          disks: message.disks,
          raid: message.raid,
          volumeGroups: message.volumeGroups,
          logicalVolumes: message.logicalVolumes,
          ...given('constraints', message.constraints),
        },
        call,
      )
    ).filesystemLayout,
  changeable: { emptiable: ['description', 'constraints'], labelled: false },
  remove: (api, id) => api.adminFilesystems.delete({ id }, call),
});

function constraintFields({ size, imageConstraints, name, description }: apiV2.SizeImageConstraint): {
  readonly size: string;
  readonly imageConstraints: apiV2.ImageConstraint[];
  readonly name?: string;
  readonly description?: string;
} {
  return { size, imageConstraints, ...given('name', name), ...given('description', description) };
}

function rangesText(list: Cell): string {
  return Array.isArray(list)
    ? list.map((one) => `${textAt(one, 'image')} ${textAt(one, 'semverMatch')}`).join('; ')
    : '';
}
