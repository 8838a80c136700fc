import { fileURLToPath } from 'node:url';
import { localFiles } from '../artifacts/local-file.ts';
import { BootServerError } from '../errors.ts';
import { fileOf, filesOf, type CompiledProfile } from './profile-answer.ts';
import { fillIn, variablesIn } from './profile-variables.ts';

/** A file of this host that a profile names. */
export interface NamedFile {
  readonly uri: string;
  /** `rack.yaml:12:5: profile "installer"`. */
  readonly where: string;
}

/** The files of this host that profiles name, each once; those whose name depends on the machine are left out. */
export function filesNamed(all: readonly CompiledProfile[]): NamedFile[] {
  const found = new Map<string, NamedFile>();
  for (const { profile, vars, where } of all) {
    for (const file of [...(profile.kernel === undefined ? [] : [profile.kernel]), ...filesOf(profile.initrd)]) {
      const { uri } = fileOf(file, (text) => fillIn(text, (name) => vars[name] ?? `\${${name}}`));
      if (!uri.startsWith('file:') || variablesIn(decodeURI(uri)).length > 0 || found.has(uri)) continue;
      found.set(uri, { uri, where: `${where}: profile "${profile.name}"` });
    }
  }
  return [...found.values()];
}

/** Of those that cannot be served now: in words, with the profile that names them. */
export async function fileDoubts(files: readonly NamedFile[], roots: readonly string[]): Promise<string[]> {
  const local = localFiles(roots);
  const doubts: string[] = [];
  for (const { uri, where } of files) {
    try {
      await local.version(fileURLToPath(uri));
    } catch (error) {
      if (error instanceof BootServerError) doubts.push(`${where}: ${error.message}`);
    }
  }
  return doubts;
}
