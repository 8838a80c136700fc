/** apt, for the packages of the build host's architecture or of another one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostArchitecture } from './architecture.ts';
import type { Architecture } from './architecture.ts';

export interface Apt {
  /** What the program prints; an Error with its `stderr` when it fails. */
  run(program: 'apt-get' | 'apt-cache', args: readonly string[], directory?: string): string;
  /** Fetches the package lists. Those of the host need root. */
  update(): void;
}

/**
 * The host's own apt, or one whose package lists and state lie in the cache: the host neither learns of the other
 * architecture nor needs root for it. Signatures are checked either way.
 */
export function aptOf(cache: string, architecture: Architecture): Apt {
  // Without the sandbox user apt would complain that it cannot write into our directory.
  const options: Record<string, string> = { 'APT::Sandbox::User': 'root' };
  if (architecture !== hostArchitecture)
    Object.assign(options, ownState(join(cache, `apt-${architecture}`), architecture));
  const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run: Apt['run'] = (program, args, cwd) =>
    execFileSync(program, [...words, ...args], { cwd, encoding: 'utf8', stdio: 'pipe', maxBuffer: 2 ** 26 });
  return { run, update: () => void run('apt-get', ['update', '-qq']) };
}

function ownState(directory: string, architecture: Architecture): Readonly<Record<string, string>> {
  for (const name of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(directory, name), { recursive: true });
  // No package is installed, so that none is taken for one of this host.
  const status = join(directory, 'status');
  writeFileSync(status, '');
  return {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'Dir::State': join(directory, 'state'),
    'Dir::State::status': status,
    'Dir::Cache': join(directory, 'cache'),
  };
}
