import { apiV2, create, timestampFromMs } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { findImage } from '../../src/image/find-image.ts';
import { checkImageConstraints, checkSizeAllowsImage } from '../../src/image/image-constraint.ts';

const { SUPPORTED, PREVIEW, DEPRECATED } = apiV2.ImageClassification;
const now = Date.UTC(2026, 5, 1);

const image = (id: string, classification: apiV2.ImageClassification = SUPPORTED, expiresAt?: number): apiV2.Image =>
  create(apiV2.ImageSchema, {
    id,
    classification,
    ...(expiresAt === undefined ? {} : { expiresAt: timestampFromMs(expiresAt) }),
  });

const images = [
  image('debian-12.0.20260101'),
  image('debian-12.0.20260301', SUPPORTED, now + 1),
  image('debian-12.0.20260401', SUPPORTED, now),
  image('debian-12.0.20260501', PREVIEW),
  image('debian-12.1.20260201', DEPRECATED),
  image('debian-12.0.20260201'),
  image('ubuntu-24.4.20260501'),
];

describe('an image', () => {
  test.each([
    ['debian-12', 'debian-12.0.20260301', 'the newest that is supported and has not expired'],
    ['debian-12.0', 'debian-12.0.20260301', 'the same by its minor version'],
    ['debian-12.0.20260401', 'debian-12.0.20260401', 'exactly the one that a full id names, expired or not'],
    ['debian-12.1.20260201', 'debian-12.1.20260201', 'deprecated or not'],
  ])('%s is %s: %s', (id, found) => {
    expect(findImage(images, id, now).id).toBe(found);
  });

  test('is the newest of a classification that is asked for', () => {
    expect(findImage(images, 'debian-12', now, PREVIEW).id).toBe('debian-12.0.20260501');
  });

  test.each([
    ['debian', '"debian" is no image: write os-major.minor.patch, or os-major.minor for the newest'],
    ['alpine-3', 'there is no image "alpine-3"'],
    ['debian-12.1', 'no image "debian-12.1" is supported and has not expired; there is debian-12.1.20260201'],
  ])('%s is none', (id, words) => {
    expect(() => findImage(images, id, now)).toThrow(new RegExp(`${words}$`));
  });

  test('that is none is told with three of those that are there', () => {
    const old = [1, 2, 3, 4].map((patch) => image(`debian-12.0.${patch}`, DEPRECATED));
    expect(() => findImage(old, 'debian-12', now)).toThrow(/there is debian-12.0.1, debian-12.0.2, debian-12.0.3$/);
  });
});

describe('constraints on the images of a size', () => {
  const constraints = (...list: readonly (readonly [string, string])[]): apiV2.ImageConstraint[] =>
    list.map(([name, semverMatch]) => create(apiV2.ImageConstraintSchema, { image: name, semverMatch }));

  test('name each system once, with a range', () => {
    expect(checkImageConstraints(constraints(['debian', '>= 12'], ['ubuntu', '*']))).toEqual([]);
    expect(checkImageConstraints(constraints(['debian', '>= 12'], ['debian', 'new']))).toEqual([
      'image_constraints[1]: "debian" is named twice: join the ranges',
      'image_constraints[1]: "new" is no range of versions such as ">= 12.0.20260101"',
    ]);
  });

  const small = create(apiV2.SizeImageConstraintSchema, {
    size: 'small',
    imageConstraints: constraints(['ubuntu', '*'], ['debian', '>= 12']),
  });

  test.each([
    ['a version in the range', small, 'debian-12.0.20260101'],
    ['a system that is not named', small, 'alpine-3.0.20260101'],
    ['everything where there are none', undefined, 'debian-1.0.1'],
  ])('allow %s', (_name, constraint, id) => {
    expect(() => checkSizeAllowsImage(constraint, id)).not.toThrow();
  });

  test.each([
    ['a version outside the range', small, 'debian-11.0.1', 'size "small" takes debian >= 12 only'],
    ['an image without a patch version', undefined, 'debian-12.0', 'has no patch version'],
    ['what is no image', undefined, 'debian', 'has no patch version'],
  ])('refuse %s', (_name, constraint, id, words) => {
    expect(() => checkSizeAllowsImage(constraint, id)).toThrow(words);
  });
});
