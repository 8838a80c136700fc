import {
  adminV2,
  ApiError,
  apiV2,
  bindService,
  clone,
  Code,
  create,
  timestampFromMs,
  type BoundService,
} from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { findImage, isExpired } from '../image/find-image.ts';
import { parseImageId } from '../image/image-version.ts';
import { allocatedWith } from '../machine/allocated-with.ts';
import type { Stores } from '../store/stores.ts';
import { entityView, labelsOnly } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { ImageSchema } = apiV2;

/** An image is offered for this long, unless it says otherwise. */
const DEFAULT_LIFE_MS = 90 * 24 * 60 * 60 * 1000;

/** `metalstack.api.v2.ImageService`. */
export function imageService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.ImageService, Caller>(apiV2.ImageService, {
    get: async ({ id }) => ({ image: entityView(ImageSchema, await stores.images.need(id)) }),
    list: async ({ query }) => ({ images: await listed(stores, query) }),
    async latest({ os, classification }) {
      const all = await listed(stores, undefined);
      return { image: findImage(all, os, clock.now(), classification) };
    },
  });
}

/** `metalstack.admin.v2.ImageService`. */
export function adminImageService({ stores, clock }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.ImageService, Caller>(adminV2.ImageService, {
    async create({ image: sent }) {
      const image = sent === undefined ? create(ImageSchema) : clone(ImageSchema, sent);
      delete image.meta;
      Object.assign(image, labelsOnly(sent?.meta));
      checkId(image.id);
      if (image.features.length === 0)
        throw new ApiError(
          Code.InvalidArgument,
          `image "${image.id}": features is empty: say machine, firewall or both`,
        );
      image.expiresAt ??= timestampFromMs(clock.now() + DEFAULT_LIFE_MS);
      if (isExpired(image, clock.now()))
        throw new ApiError(Code.InvalidArgument, `image "${image.id}": expires_at is not in the future`);
      if (image.classification === apiV2.ImageClassification.UNSPECIFIED)
        image.classification = apiV2.ImageClassification.PREVIEW;
      return { image: entityView(ImageSchema, await stores.images.create(image.id, image)) };
    },
    async update({ id, updateMeta, url, name, description, features, classification, expiresAt, labels }) {
      const stored = await updateEntity(stores.images, id, updateMeta, (image) => {
        if (url !== undefined) image.url = url;
        if (name !== undefined) image.name = name;
        if (description !== undefined) image.description = description;
        if (features.length > 0) image.features = features;
        if (classification !== apiV2.ImageClassification.UNSPECIFIED) image.classification = classification;
        if (expiresAt !== undefined) image.expiresAt = expiresAt;
        updateLabels(image, labels);
      });
      return { image: entityView(ImageSchema, stored) };
    },
    delete: ({ id }) =>
      stores.transaction(async (inner) => {
        const stored = await inner.images.need(id);
        const users = await allocatedWith(inner, id, ({ allocation }) => allocation?.image?.id === id);
        if (users.length > 0) {
          throw new ApiError(
            Code.FailedPrecondition,
            `image "${id}" is installed on ${users.length} machines (${users.slice(0, 3).join(', ')}): ` +
              'set expires_at instead, so that nobody installs it any more',
          );
        }
        await inner.images.delete(id);
        return { image: entityView(ImageSchema, stored) };
      }),
    async usage({ query }) {
      const images = await listed(stores, query);
      const users = new Map(images.map(({ id }): [string, string[]] => [id, []]));
      for await (const some of stores.machines.some(await stores.machines.ids({ project: { not: '' } })))
        for (const { id, value } of some) users.get(value.allocation?.image?.id ?? '')?.push(id);
      return { imageUsage: images.map((image) => ({ image, usedBy: users.get(image.id) ?? [] })) };
    },
  });
}

function checkId(id: string): void {
  if (parseImageId(id)?.hasPatch === true) return;
  throw new ApiError(
    Code.InvalidArgument,
    `"${id}" is no image id: write os-major.minor.patch, as debian-12.0.20260101`,
  );
}

async function listed(stores: Stores, query: apiV2.ImageQuery | undefined): Promise<apiV2.Image[]> {
  const { id, os, version, name, description, url, feature, classification, labels } =
    query ?? create(apiV2.ImageQuerySchema);
  return (await stores.images.list())
    .map((stored) => entityView(ImageSchema, stored))
    .filter((image) => {
      const parsed = parseImageId(image.id);
      return (
        (id === undefined || image.id === id) &&
        (os === undefined || parsed?.os === os) &&
        (version === undefined || parsed?.version.version === version) &&
        (name === undefined || image.name === name) &&
        (description === undefined || image.description === description) &&
        (url === undefined || image.url === url) &&
        (feature === undefined || image.features.includes(feature)) &&
        (classification === undefined || image.classification === classification) &&
        hasLabels(image, labels)
      );
    });
}
