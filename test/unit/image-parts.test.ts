import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeCpio } from '../../images/cpio.ts';
import { sha256 } from '../../images/debian.ts';
import { isElf, neededLibraries, withoutUnmapped } from '../../images/elf.ts';
import { buildAgent } from '../../images/image.ts';

test('the archive is the one that cpio unpacks', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-cpio-'));
  try {
    const archive = writeCpio([
      { kind: 'file', path: 'usr/bin/tool', data: Buffer.from('odd'), mode: 0o755 },
      { kind: 'directory', path: 'usr' },
      { kind: 'directory', path: 'usr/bin' },
      { kind: 'symlink', path: 'bin', target: 'usr/bin' },
    ]);
    execFileSync('cpio', ['-idm', '--quiet', '--no-absolute-filenames'], { cwd: directory, input: archive });
    expect(readFileSync(join(directory, 'bin/tool'), 'utf8')).toBe('odd');
    expect(statSync(join(directory, 'usr/bin/tool')).mode & 0o777).toBe(0o755);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('the order in which entries are given does not show', () => {
  const a = { kind: 'file', path: 'a', data: Buffer.from('1') } as const;
  const b = { kind: 'file', path: 'b', data: Buffer.from('2') } as const;
  expect(writeCpio([a, b])).toEqual(writeCpio([b, a]));
  expect(() => writeCpio([a, a])).toThrow('given twice');
});

test('a program without its unmapped parts needs the same libraries and is no longer', () => {
  const program = readFileSync('/bin/cat');
  const smaller = withoutUnmapped(program);
  expect(isElf(smaller)).toBe(true);
  expect(smaller.length).toBeLessThan(program.length);
  expect(neededLibraries(smaller)).toEqual(neededLibraries(program));
});

test('building the agent layer twice gives the same bytes', { timeout: 60_000 }, async () => {
  const [first, second] = [await buildAgent(), await buildAgent()];
  expect(sha256(second.data)).toBe(sha256(first.data));
});
