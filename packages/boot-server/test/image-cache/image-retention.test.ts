import { array, assert, boolean, constantFrom, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, parseImageId, selectImages, type CatalogueImage } from '../../src/image-cache/catalogue.ts';
import { digestFileOf, DIGEST_FILES, parseDigestFile } from '../../src/image-cache/digest.ts';
import { imagePath, imageUrl } from '../../src/image-cache/image-cache.ts';

const NOW = 1_000_000;
const limits = { maxBytes: 1_000, minImagesPerName: 1, maxImagesPerName: undefined, expirationGraceMs: 0 };

function image(id: string, sizeBytes: number, more: Partial<CatalogueImage> = {}): CatalogueImage {
  return { url: `http://store/${id}`, ...parseImageId(id), sizeBytes, expiresAt: undefined, pinned: false, ...more };
}
const ids = (images: readonly CatalogueImage[]): string[] => images.map(({ url }) => url.slice('http://store/'.length));

describe('retention of images', () => {
  it('keeps the newest of each name up to the maximum', () => {
    const images = ['debian-12.0.20260101', 'debian-12.0.20261101', 'debian-12.0.20260601', 'ubuntu-24.4.20260101'];
    const { keep, drop } = selectImages(
      images.map((id) => image(id, 1)),
      { ...limits, maxImagesPerName: 2 },
      NOW,
    );
    expect(ids(keep)).toEqual(['debian-12.0.20261101', 'debian-12.0.20260601', 'ubuntu-24.4.20260101']);
    expect(drop.map(({ reason }) => reason)).toEqual(['more-than-max-per-name']);
  });

  it('drops the oldest of the largest name until all fit, and no more than that', () => {
    const images = [
      image('debian-12.0.3', 300),
      image('debian-12.0.2', 300),
      image('debian-12.0.1', 300),
      image('ubuntu-24.4.2', 200),
      image('ubuntu-24.4.1', 200),
    ];
    const { keep, drop, keptBytes, excessBytes } = selectImages(images, limits, NOW);
    expect(ids(drop.map((each) => each.image))).toEqual(['debian-12.0.1']);
    expect(ids(keep)).toHaveLength(4);
    expect({ keptBytes, excessBytes }).toEqual({ keptBytes: 1_000, excessBytes: 0 });
  });

  it('never goes below the minimum of a name, and says by how much that exceeds the disk', () => {
    const images = [image('debian-12.0.2', 800), image('debian-12.0.1', 800)];
    const { keep, excessBytes } = selectImages(images, { ...limits, minImagesPerName: 2 }, NOW);
    expect(keep).toHaveLength(2);
    expect(excessBytes).toBe(600);
  });

  it('drops an expired image when its grace is over', () => {
    const expired = image('debian-12.0.1', 1, { expiresAt: NOW - 10 });
    expect(selectImages([expired], limits, NOW).drop).toEqual([{ image: expired, reason: 'expired' }]);
    expect(selectImages([expired], { ...limits, expirationGraceMs: 10 }, NOW).keep).toEqual([]);
    expect(selectImages([expired], { ...limits, expirationGraceMs: 11 }, NOW).keep).toEqual([expired]);
  });

  it('never drops what is pinned', () => {
    const pinned = image('vmlinuz', 5_000, { pinned: true, expiresAt: 0 });
    expect(selectImages([pinned], { ...limits, maxImagesPerName: 1 }, NOW).keep).toEqual([pinned]);
  });

  it('keeps or drops each image, keeps the minimum, and fits unless it may not', () => {
    const anImage = record({
      name: constantFrom('a', 'b', 'c'),
      version: nat(20).map(String),
      sizeBytes: integer({ min: 0, max: 600 }),
      pinned: boolean(),
      isExpired: boolean(),
    });
    assert(
      property(array(anImage, { maxLength: 20 }), integer({ min: 1, max: 3 }), (list, minImagesPerName) => {
        const images = list.map(({ isExpired, ...each }, index) => ({
          ...each,
          url: `http://store/${index}`,
          expiresAt: isExpired ? NOW : undefined,
        }));
        const { keep, drop, excessBytes } = selectImages(images, { ...limits, minImagesPerName }, NOW);
        expect([...keep, ...drop.map((each) => each.image)].map(({ url }) => url).toSorted()).toEqual(
          images.map(({ url }) => url).toSorted(),
        );
        for (const name of ['a', 'b', 'c']) {
          const alive = images.filter((each) => each.name === name && !each.pinned && each.expiresAt === undefined);
          const kept = keep.filter((each) => each.name === name && !each.pinned);
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(minImagesPerName, alive.length));
          if (excessBytes > 0) expect(kept.length).toBeLessThanOrEqual(minImagesPerName);
        }
      }),
    );
  });

  it('orders versions by their numbers', () => {
    expect(['12.10.1', '12.9.20261101', '12.9.20260101', '12.9'].toSorted(compareVersions)).toEqual([
      '12.9',
      '12.9.20260101',
      '12.9.20261101',
      '12.10.1',
    ]);
  });

  it.each([
    ['1.01', '1.1', 0],
    ['1.0-rc1', '1.0-rc2', -1],
    ['1.0-rc2', '1.0-rc1', 1],
    ['1.0', '1.0', 0],
    ['1.0', '1', 1],
    ['1.9x', '1.10', 1],
    ['1.10', '1.9x', -1],
    ['1.x9', '1.10', 1],
    ['1.10', '1.x9', -1],
  ])('orders %s and %s: %d', (a, b, expected) => {
    expect(Math.sign(compareVersions(a, b))).toBe(expected);
  });

  it('drops from the name that takes the most room, whichever came first', () => {
    const images = ['a-1.1.1', 'a-1.1.2', 'b-1.1.1', 'b-1.1.2', 'c-1.1.1', 'c-1.1.2'].map((id) =>
      image(id, id.startsWith('b') ? 400 : 200),
    );
    for (const list of [images, images.toReversed()])
      expect(selectImages(list, { ...limits, maxBytes: 1_500 }, NOW).drop).toEqual([
        { image: image('b-1.1.1', 400), reason: 'over-max-bytes' },
      ]);
  });

  it('groups ids by operating system and major.minor', () => {
    expect(parseImageId('debian-12.0.20260101')).toEqual({ name: 'debian-12.0', version: '12.0.20260101' });
    expect(parseImageId('firewall-ubuntu-3.0.20260101').name).toBe('firewall-ubuntu-3.0');
    expect(parseImageId('http://store/vmlinuz').name).toBe('http://store/vmlinuz');
  });
});

describe('checksum files', () => {
  it('are read as the checksum commands write them', () => {
    const md5 = 'd41d8cd98f00b204e9800998ecf8427e';
    const file = DIGEST_FILES.find(({ suffix }) => suffix === '.md5');
    if (file === undefined) throw new Error('no md5');
    for (const text of [md5, `${md5}  img.tar.lz4\n`, `\\${md5.toUpperCase()} *img\n`])
      expect(parseDigestFile(text, file)).toEqual({ algorithm: 'md5', hex: md5 });
    for (const text of ['', '<html>', md5.slice(1), `${md5}0`]) expect(parseDigestFile(text, file)).toBeUndefined();
  });

  it('belong to the file whose name they extend', () => {
    expect(digestFileOf('http://store/a/img.tar.lz4.md5')).toEqual({
      url: 'http://store/a/img.tar.lz4',
      algorithm: 'md5',
    });
    expect(digestFileOf('http://store/a/img.tar.lz4')).toBeUndefined();
  });
});

describe('paths of copies', () => {
  it('lead back to the URL', () => {
    for (const url of ['http://store:9000/a/b%2Fc.img?v=1', 'https://images.example.net/x'])
      expect(imageUrl(...splitSearch(imagePath(url)))).toBe(url);
  });

  it('that stand for no URL are refused', () => {
    for (const path of ['/images/', '/images/file/etc/passwd', '/images/http/', '/images/http/host', '/elsewhere'])
      expect(imageUrl(path, '')).toBeUndefined();
  });
});

function splitSearch(text: string): [string, string] {
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}
