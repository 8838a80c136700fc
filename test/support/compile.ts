import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../.cache/c', import.meta.url));
const FLAGS = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];

/**
 * The path of the program made from one C source file by Debian's gcc, or with `shared` of the library; compiled again
 * only when it, or a header beside it, changed.
 * Throws with gcc's own words.
 */
export function compileC(source: string | URL, kind: 'program' | 'shared' = 'program'): string {
  const path = source instanceof URL ? fileURLToPath(source) : source;
  const flags = [...FLAGS, ...(kind === 'shared' ? ['-shared', '-fPIC'] : [])];
  const hash = createHash('sha256').update(flags.join(' '));
  const headers = globSync('*.h', { cwd: dirname(path) }).toSorted();
  for (const file of [path, ...headers.map((name) => join(dirname(path), name))]) hash.update(readFileSync(file));
  const digest = hash.digest('hex').slice(0, 12);
  const program = join(CACHE, `${basename(path, '.c')}-${digest}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  // Another run may compile the same file at this moment.
  const unfinished = `${program}.${process.pid}`;
  execFileSync('gcc', [...flags, '-o', unfinished, path], { stdio: ['ignore', 'inherit', 'inherit'] });
  renameSync(unfinished, program);
  return program;
}
