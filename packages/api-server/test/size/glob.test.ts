import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob } from '../../src/size/glob.ts';

function matches(pattern: string, text: string): boolean | string {
  const glob = compileGlob(pattern);
  return 'problem' in glob ? glob.problem : glob.matches(text);
}

describe('a pattern', () => {
  // The cases of the documentation of Go's path/filepath.Match, and what sizes are written with.
  test.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[a-b]', 'abc', false],
    ['[^c]', '^', true],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    [String.raw`a\*b`, 'a*b', true],
    [String.raw`a\*b`, 'ab', false],
    ['a?b', 'a☺b', true],
    ['a???b', 'a☺b', false],
    ['[a-ζ]*', 'α', true],
    ['a?b', 'a/b', false],
    ['a*b', 'a/b', false],
    [String.raw`[\]a]`, ']', true],
    [String.raw`[\-x]`, '-', true],
    ['*x', 'xxx', true],
    ['**x**', 'axb', true],
    ['**', 'a/b', false],
    ['', '', true],
    ['', 'a', false],
    ['/dev/nvme*', '/dev/nvme0n1', true],
    ['/dev/nvme*', '/dev/sda', false],
    // The whole text, with the brackets of pci.ids escaped.
    ['H100*', 'GH100 [H100 PCIe]', false],
    [String.raw`*\[H100 PCIe]`, 'GH100 [H100 PCIe]', true],
    ['*H100*', 'GH100 [H100 PCIe]', true],
    ['Intel(R) Xeon(R) Silver*', 'Intel(R) Xeon(R) Silver 4410Y', true],
  ])('%s of %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test.each(['[]a]', '[-]', '[x-]', '[-x]', '[', '[^', '[^bc', 'a[', String.raw`a\ `.trim(), '[a-'])(
    '%s is refused with the pattern and the place',
    (pattern) => {
      expect(matches(pattern, 'a')).toContain(`"${pattern}": `);
    },
  );

  test('takes a class as a slash, as Go does', () => {
    expect(matches('a[/]b', 'a/b')).toBe(true);
    expect(matches('a[^a]b', 'a/b')).toBe(true);
  });

  test('gives what a backtracking matcher gives', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(patterns, letters, (pattern, text) => {
        const expression = pattern.replaceAll('*', '[^/]*').replaceAll('?', '[^/]');
        expect(matches(pattern, text)).toBe(new RegExp(`^${expression}$`).test(text));
      }),
      { numRuns: 3000 },
    );
  });

  test('is quick on a hostile pattern', () => {
    expect(matches(`${'*a'.repeat(60)}b`, 'a'.repeat(256))).toBe(false);
  });
});
