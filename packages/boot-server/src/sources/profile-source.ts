import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYamlDocument, type Logger } from '@ingot/daemon';
import type { BootSource } from '../decide/boot-plan.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { fileDoubts } from './profile-files.ts';
import { profileFileSchema, type Profile } from './profile-schema.ts';
import { compileProfiles, type ProfileGroup, type ProfileSet } from './profile-set.ts';

export interface ProfilesConfig {
  readonly directory?: string | undefined;
  readonly inline: readonly Profile[];
}

/** Files of a folder, and bytes of a file: a wrong path swallowing the memory. */
const MAX_FILES = 1_024;
const MAX_FILE_BYTES = 4_194_304;

/**
 * Profiles in files as a source. Answers at once, out of memory. Warns of files that are not below `roots`. Rejects with every problem: FILE_UNUSABLE, or
 * CONFIG_INVALID where only `inline` can be wrong.
 */
export async function loadProfiles(
  config: ProfilesConfig,
  { log, roots }: { readonly log: Logger; readonly roots: readonly string[] },
): Promise<BootSource> {
  const set = await read(config);
  log.info({ event: 'profiles.loaded', count: set.size }, `${set.size} boot profile${set.size === 1 ? '' : 's'}`);
  // They may still be copied there: a doubt, and no error.
  for (const doubt of await fileDoubts(set.files, roots)) log.warn({ event: 'settings.doubtful' }, doubt);
  return { name: 'profiles', wantsSerial: set.wantsSerial, plan: (subject) => set.plan(subject) };
}

async function read({ directory, inline }: ProfilesConfig): Promise<ProfileSet> {
  const groups: ProfileGroup[] = [
    { profiles: inline, vars: {}, locate: (index) => `sources.profiles.inline[${index}]` },
  ];
  const problems: string[] = [];
  for (const path of directory === undefined ? [] : await filesOf(directory)) {
    const document = parseYamlDocument(path, await textOf(path), profileFileSchema);
    if (!document.ok) {
      problems.push(...document.problems);
      continue;
    }
    const { value, locate } = document;
    groups.push({ ...value, locate: (index, rest) => locate(['profiles', index, ...rest]) });
  }
  const code = directory === undefined ? BootServerErrorCode.ConfigInvalid : BootServerErrorCode.FileUnusable;
  if (problems.length > 0) throw refused(code, problems);
  const compiled = compileProfiles(groups);
  if (!compiled.ok) throw refused(code, compiled.problems);
  return compiled.set;
}

async function filesOf(directory: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    throw unreadable(directory, error);
  }
  const files = names.filter((name) => /^[^.].*\.ya?ml$/.test(name)).toSorted();
  if (files.length > MAX_FILES)
    throw refused(BootServerErrorCode.FileUnusable, [`${directory} has ${files.length} files: at most ${MAX_FILES}`]);
  return files.map((name) => join(directory, name));
}

async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, at most ${MAX_FILE_BYTES} are read`);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): BootServerError {
  const words = wordsOf(cause);
  return new BootServerError(
    BootServerErrorCode.FileUnusable,
    `cannot read ${path}: ${words}; see sources.profiles.directory`,
    cause,
  );
}

function refused(code: BootServerErrorCode, problems: readonly string[]): BootServerError {
  return new BootServerError(code, problems.join('\n'));
}
