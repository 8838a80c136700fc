import { describe, expect, test } from 'vitest';
import { isVersionOf, parseImageId, parseVersionRange } from '../../src/image/image-version.ts';

describe('an image id', () => {
  test.each([
    ['debian-12.0.20260101', 'debian', '12.0.20260101', true],
    ['debian-12.0', 'debian', '12.0.0', false],
    ['debian-12', 'debian', '12.0.0', false],
    ['firewall-ubuntu-3.0.20250101', 'firewall-ubuntu', '3.0.20250101', true],
    ['ubuntu-24.4.20260101-rc1', 'ubuntu', '24.4.20260101-rc1', true],
  ])('%s is %s, %s', (id, os, version, hasPatch) => {
    const parsed = parseImageId(id);
    expect([parsed?.os, parsed?.version.version, parsed?.hasPatch]).toEqual([os, version, hasPatch]);
  });

  test.each([
    'debian',
    '',
    '-12.0',
    'debian-',
    'Debian-12',
    'debian-12.0.1.2',
    'debian-x',
    'debian-12..1',
    'debian-12.0.01',
    '0debian-12',
    'debian-12.0.1 ',
  ])('%s is none', (id) => {
    expect(parseImageId(id)).toBeUndefined();
  });

  test.each([
    ['debian-12', 'debian-12.5.1', true],
    ['debian-12.0', 'debian-12.0.1', true],
    ['debian-12.0', 'debian-12.5.1', false],
    ['debian-12', 'debian-13.0.1', false],
    ['debian-12', 'ubuntu-12.0.1', false],
    ['debian-12.0.1', 'debian-12.0.1', true],
    ['debian-12', 'debian-12.0', false],
    ['debian-12.0.1', 'debian-12.0.2', false],
    ['debian-12.0-rc1', 'debian-12.5.1-rc1', false],
    ['debian-12.0', 'debian-12.0.1-rc1', true],
    ['debian', 'debian-12.0.1', false],
    ['debian-12', 'debian', false],
  ])('%s names %s: %s', (short, id, expected) => {
    expect(isVersionOf(short, id)).toBe(expected);
  });
});

describe('a range of versions', () => {
  test.each([
    ['*', '12.0.20260101', true],
    ['>= 12.0.20260101', '12.0.20260101', true],
    ['> 12.0.20260101', '12.0.20260101', false],
    ['>= 12.0, < 13', '12.9.1', true],
    ['>= 12.0, < 13', '13.0.0', false],
    ['>=12.0 <13', '12.1.0', true],
    ['~12.1', '12.1.9', true],
    ['~12.1', '12.2.0', false],
    ['^12', '12.9.0', true],
    ['12.x', '12.9.0', true],
    ['= 12.0.1', '12.0.1', true],
    ['!= 12.0.1', '12.0.1', false],
    ['!= 12.0.1', '12.0.2', true],
    ['>= 12, != 12.0.5', '12.0.5', false],
    ['>= 12.0', '12.1.0-rc1', true],
    ['!= 12.x', '12.1.0-rc1', false],
    ['!= 12.x', '13.0.0', true],
    ['', '12.0.1', true],
    ['11.x || 13.x', '13.1.1', true],
    ['11.x || 13.x', '12.1.1', false],
  ])('%s includes %s: %s', (range, version, expected) => {
    const parsed = parseImageId(`os-${version}`);
    expect(parsed !== undefined && parseVersionRange(range)?.includes(parsed.version)).toBe(expected);
  });

  test.each(['new', '>= y', '1.2.3.4', '>'])('%s is none', (text) => {
    expect(parseVersionRange(text)).toBeUndefined();
  });
});
