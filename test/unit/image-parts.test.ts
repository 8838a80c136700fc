import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildAgent } from '../../images/agent-layer.ts';
import { architectures, facts, hostArchitecture, parseArchitecture } from '../../images/architecture.ts';
import { writeCpio } from '../../images/cpio.ts';
import { readLock, sha256 } from '../../images/debian.ts';
import { isElf, neededLibraries, withoutUnmapped } from '../../images/elf.ts';
import { withoutLibraries } from '../../images/elf-links.ts';
import { firmwareEntries } from '../../images/firmware.ts';
import { isKept, withEnglishOnly } from '../../images/icu.ts';

const repository = join(import.meta.dirname, '../..');

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

test('a program that loses a library starts without it, and what it calls of it answers 0', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-links-'));
  try {
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
    const gcc = (...args: readonly string[]): void => void execFileSync('gcc', args, { cwd: directory });
    write('unused-but-linked.c', 'int unused_number = 7; int unused_call(void) { return unused_number; }');
    write('second-name-to-spare.c', 'int second_call(void) { return 9; }');
    write(
      'main.c',
      [
        '#include <stdio.h>',
        'extern int unused_number; int unused_call(void); int second_call(void);',
        'int main(void) { printf("%d %d %d\\n", unused_call(), unused_number, second_call()); return 0; }',
      ].join('\n'),
    );
    for (const name of ['unused-but-linked', 'second-name-to-spare'])
      gcc('-shared', '-fPIC', '-o', `lib${name}.so`, `${name}.c`);
    gcc('-o', 'main', 'main.c', '-L.', '-lunused-but-linked', '-lsecond-name-to-spare', '-Wl,-z,now');
    const read = (name: string): Buffer => readFileSync(join(directory, name));
    const names = ['libunused-but-linked.so', 'libsecond-name-to-spare.so'];
    const dropped = new Map(names.map((name) => [name, read(name)]));
    const libc = readFileSync('/lib/x86_64-linux-gnu/libc.so.6');
    const freed = withoutLibraries(read('main'), dropped, [libc]);
    expect(neededLibraries(freed)).toEqual(['libc.so.6']);
    writeFileSync(join(directory, 'freed'), withoutUnmapped(freed), { mode: 0o755 });
    expect(execFileSync(join(directory, 'freed'), { encoding: 'utf8', env: {} })).toBe('0 0 0\n');
    expect(() => withoutLibraries(freed, dropped, [libc])).toThrow('not linked with libunused-but-linked.so');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('Node keeps English, and falls back to it for everybody else', { timeout: 60_000 }, () => {
  expect(['root.res', 'en.res', 'zone/en_US.res', 'supplementalData.res', 'nfkc.nrm', 'pool.res'].map(isKept)).toEqual(
    Array.from({ length: 6 }, () => true),
  );
  expect(['de.res', 'zone/zh_Hant_TW.res', 'ibm-37_P100-1995.cnv', 'brkitr/thaidict.dict'].map(isKept)).toEqual(
    Array.from({ length: 4 }, () => false),
  );
  const directory = mkdtempSync(join(tmpdir(), 'ingot-icu-'));
  try {
    const node = join(directory, 'node');
    writeFileSync(node, withoutUnmapped(withEnglishOnly(readFileSync(process.execPath))), { mode: 0o755 });
    const script = `[
      new Date(0).toString(), (1234.5).toLocaleString('de'), 'Ä'.normalize('NFD').length, 'ß'.toLocaleUpperCase(),
      new URL('http://münchen.de/').host, new TextDecoder('utf-16le').decode(Buffer.from('é', 'utf16le')),
      ['b', 'ä', 'a'].sort((a, b) => a.localeCompare(b)).join(''), /\\p{Lu}/u.test('Ä'),
    ].join('|')`;
    const printed = execFileSync(node, ['-p', script], { encoding: 'utf8', env: { TZ: 'UTC' } });
    expect(printed.trim()).toBe(
      'Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)|1,234.5|2|SS|xn--mnchen-3ya.de|é|aäb|true',
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a file without ICU data is refused', () => {
  expect(() => withEnglishOnly(readFileSync('/bin/cat'))).toThrow('found 0');
});

test('firmware is taken from the folder that is given, and what it lacks is named with the driver', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-firmware-'));
  try {
    const wanted = new Map([
      ['ice', ['intel/ice/ddp/ice.pkg']],
      ['bnx2', ['bnx2/a.fw']],
    ]);
    expect(firmwareEntries(undefined, wanted)).toEqual({
      entries: [],
      present: [],
      absent: ['bnx2/a.fw (bnx2)', 'intel/ice/ddp/ice.pkg (ice)'],
    });
    mkdirSync(join(folder, 'bnx2'));
    writeFileSync(join(folder, 'bnx2/a.fw'), 'code');
    const found = firmwareEntries(folder, wanted);
    expect(found.entries).toEqual([{ kind: 'file', path: 'usr/lib/firmware/bnx2/a.fw', data: Buffer.from('code') }]);
    expect(found.absent).toEqual(['intel/ice/ddp/ice.pkg (ice)']);
    expect(() => firmwareEntries(join(folder, 'bnx2/a.fw'), wanted)).toThrow('expected a folder');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('every architecture pins the same packages but for its kernel, and an unknown one is refused', () => {
  const namesOf = (lock: string): string[] =>
    readLock(join(repository, 'images', lock))
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('linux-image-'));
  for (const architecture of architectures)
    expect(namesOf(facts[architecture].lock)).toEqual(namesOf(facts.amd64.lock));
  expect(() => parseArchitecture('riscv64')).toThrow('expected amd64 or arm64');
});

test('building the agent layer twice gives the same bytes', { timeout: 60_000 }, async () => {
  const build = () => buildAgent('never-used', hostArchitecture);
  const [first, second] = [await build(), await build()];
  expect(sha256(second.data)).toBe(sha256(first.data));
});
