import { pathToFileURL } from 'node:url';
import type { PlanKind, SourceAnswer } from '../decide/boot-plan.ts';
import type { Matcher } from './profile-match.ts';
import type { Profile, ProfileFile } from './profile-schema.ts';
import { fillIn } from './profile-variables.ts';

/** A profile with all that is needed to answer by it. */
export interface CompiledProfile {
  readonly profile: Profile;
  readonly vars: Readonly<Record<string, string>>;
  readonly matches: Matcher;
  /** Where it stands: `rack.yaml:12:5`. */
  readonly where: string;
}

/** What a profile says once its variables are filled in. */
export function answerOf(
  { profile, where }: Pick<CompiledProfile, 'profile' | 'where'>,
  byName: ReadonlyMap<string, CompiledProfile>,
  valueOf: (name: string) => string,
): SourceAnswer {
  const kind = kindOf(profile, byName, (text) => fillIn(text, valueOf));
  const { loader } = profile;
  if (kind === undefined) return loader === undefined ? undefined : { kind: 'next', loader };
  const origin = `profiles: ${where} "${profile.name}"`;
  return { ...kind, origin, ...(loader === undefined ? {} : { loader }) };
}

function kindOf(
  profile: Profile,
  byName: ReadonlyMap<string, CompiledProfile>,
  fill: (text: string) => string,
): PlanKind | undefined {
  const { boot, kernel, script, menu } = profile;
  const message = fill(profile.message).trim();
  // A machine that shows nothing at all looks broken.
  if (boot !== undefined) return { kind: boot, message: message === '' && boot === 'hold' ? 'On hold.' : message };
  if (script !== undefined) return { kind: 'script', script: fill(script) };
  if (kernel !== undefined) {
    const kernelFile = fileOf(kernel, fill);
    const initrds = filesOf(profile.initrd).map((file) => fileOf(file, fill));
    const digests = [kernelFile, ...initrds].flatMap(({ uri, sha256 }) =>
      sha256 === undefined ? [] : [[uri, sha256]],
    );
    return {
      kind: 'kernel',
      kernel: kernelFile.uri,
      initRamDisks: initrds.map(({ uri }) => uri),
      // A long command line is written on several lines of YAML.
      cmdline: fill(profile.cmdline.replaceAll(/\s+/g, ' ')).trim(),
      message,
      wantsConfig: profile.config,
      ...(digests.length === 0 ? {} : { sha256: Object.fromEntries(digests) }),
    };
  }
  if (menu === undefined) return undefined;
  const entries = menu.entries.flatMap(({ profile: name, label }) => {
    const entry = byName.get(name);
    const plan =
      entry === undefined ? undefined : kindOf(entry.profile, byName, (text) => fillEntry(text, entry, fill));
    return plan === undefined ? [] : [{ name, label: fill(label ?? name), plan }];
  });
  return {
    kind: 'menu',
    menu: {
      title: fill(menu.title),
      defaultEntry: menu.default ?? menu.entries[0]?.profile ?? '',
      timeoutSeconds: menu.timeoutSeconds,
      entries,
    },
  };
}

/** An entry of a menu has variables of its own, and the machine's. */
function fillEntry(text: string, { vars }: CompiledProfile, fill: (text: string) => string): string {
  return fillIn(text, (name) => fill(vars[name] ?? `\${${name}}`));
}

/** Where it is, its variables filled in: a path becomes a `file:` URI. */
export function fileOf(file: ProfileFile, fill: (text: string) => string): { uri: string; sha256: string | undefined } {
  const { uri, sha256 } = typeof file === 'string' ? { uri: file, sha256: undefined } : file;
  const filled = fill(uri);
  return { uri: filled.startsWith('/') ? pathToFileURL(filled).href : filled, sha256 };
}

/** One is written as it is, several as a list. */
export function filesOf(files: ProfileFile | readonly ProfileFile[]): readonly ProfileFile[] {
  return typeof files === 'string' || 'uri' in files ? [files] : files;
}
