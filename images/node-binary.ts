/** The Node that runs in the image: the one of the build host, or the same version for another architecture. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { facts } from './architecture.ts';
import type { Architecture } from './architecture.ts';

const modules = join(dirname(import.meta.dirname), 'node_modules');

/** The path of the binary; for another architecture than the host's it is fetched once, by npm, into the cache. */
export function nodeBinary(cache: string, architecture: Architecture): string {
  const { name, integrity } = facts[architecture].node;
  const installed = join(modules, name, 'bin/node');
  if (existsSync(installed)) return realpathSync(installed);
  if (integrity === undefined) throw new Error(`${installed} is missing; run \`npm test\` or \`npm start\` once`);
  const directory = join(cache, 'node', `${name}-${process.versions.node}`);
  const binary = join(directory, 'package/bin/node');
  if (!existsSync(binary)) fetchNode(`${name}@${process.versions.node}`, integrity, directory);
  return binary;
}

function fetchNode(specifier: string, integrity: string, directory: string): void {
  mkdirSync(dirname(directory), { recursive: true });
  const work = mkdtempSync(join(dirname(directory), '.work-'));
  try {
    const args = ['pack', '--silent', '--pack-destination', work, specifier];
    const archive = join(
      work,
      execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim(),
    );
    const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (digest !== integrity)
      throw new Error(`${specifier} has the integrity ${digest}, but architecture.ts pins ${integrity}`);
    execFileSync('tar', ['-xzf', archive, '-C', work, 'package/bin/node', 'package/package.json'], { stdio: 'pipe' });
    rmSync(archive);
    // Another build may have been faster.
    if (!existsSync(directory)) renameSync(work, directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
