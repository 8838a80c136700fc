import { ApiError, apiV2, Code } from '@ingot/api';
import { parseImageId, parseVersionRange } from './image-version.ts';

/** What is wrong with constraints on the images of a size, in words; empty when nothing is. */
export function checkImageConstraints(constraints: readonly apiV2.ImageConstraint[]): string[] {
  const seen = new Set<string>();
  return constraints.flatMap(({ image, semverMatch }, index) => {
    const problems: string[] = [];
    if (seen.has(image)) problems.push(`image_constraints[${index}]: "${image}" is named twice: join the ranges`);
    seen.add(image);
    if (parseVersionRange(semverMatch) === undefined)
      problems.push(`image_constraints[${index}]: "${semverMatch}" is no range of versions such as ">= 12.0.20260101"`);
    return problems;
  });
}

/**
 * Whether machines of a size may be installed with an image. A system that is not named is allowed. Throws
 * `FailedPrecondition` with the range that is missed, `InvalidArgument` for an image without a patch version.
 */
export function checkSizeAllowsImage(constraint: apiV2.SizeImageConstraint | undefined, image: string): void {
  const parsed = parseImageId(image);
  if (parsed === undefined || !parsed.hasPatch)
    throw new ApiError(
      Code.InvalidArgument,
      `image "${image}" has no patch version: name one image, as debian-12.0.20260101`,
    );
  const wanted = constraint?.imageConstraints.find((one) => one.image === parsed.os);
  if (constraint === undefined || wanted === undefined) return;
  if (parseVersionRange(wanted.semverMatch)?.includes(parsed.version) === true) return;
  throw new ApiError(
    Code.FailedPrecondition,
    `size "${constraint.size}" takes ${parsed.os} ${wanted.semverMatch} only, not image "${image}"`,
  );
}
