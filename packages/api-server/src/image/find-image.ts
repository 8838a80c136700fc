import { ApiError, apiV2, Code, timestampMs } from '@ingot/api';
import { byVersion, isVersionOf, parseImageId } from './image-version.ts';

const { ImageClassification: Classification } = apiV2;

/**
 * The image that an id names: a full id exactly one; a short one (`debian-12.0`) the newest that is supported and has not
 * expired. Throws `NotFound`, `InvalidArgument` for an id that is none.
 */
export function findImage(
  images: readonly apiV2.Image[],
  id: string,
  now: number,
  classification: apiV2.ImageClassification = Classification.SUPPORTED,
): apiV2.Image {
  const exact = images.find((image) => image.id === id);
  if (exact !== undefined) return exact;
  if (parseImageId(id) === undefined) {
    throw new ApiError(
      Code.InvalidArgument,
      `"${id}" is no image: write os-major.minor.patch, or os-major.minor for the newest`,
    );
  }
  const found = images.filter((image) => isVersionOf(id, image.id));
  const usable = found.filter((image) => image.classification === classification && !isExpired(image, now));
  const [newest] = usable.toSorted((a, b) => compareIds(a.id, b.id));
  if (newest !== undefined) return newest;
  const others = found.map((image) => image.id).slice(0, 3);
  throw new ApiError(
    Code.NotFound,
    others.length === 0
      ? `there is no image "${id}"`
      : `no image "${id}" is supported and has not expired; there is ${others.join(', ')}`,
  );
}

export function isExpired({ expiresAt }: apiV2.Image, now: number): boolean {
  return expiresAt !== undefined && timestampMs(expiresAt) <= now;
}

function compareIds(a: string, b: string): number {
  const [one, other] = [parseImageId(a), parseImageId(b)];
  return one === undefined || other === undefined ? 0 : byVersion(one, other);
}
