import { pathToFileURL } from 'node:url';
import type { BootSubject, PlanKind, SourceAnswer } from '../decide/boot-plan.ts';
import { refusePlan } from '../decide/plan-check.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { compileMatch, onlyMacs, type Matcher } from './profile-match.ts';
import type { Profile, ProfileFile } from './profile-schema.ts';
import { fillIn, isMachineVariable, MACHINE_VARIABLES, machineValue, variablesIn } from './profile-variables.ts';

/** Profiles that come from one place. */
export interface ProfileGroup {
  readonly profiles: readonly Profile[];
  /** For `${name}` in all of them; a profile's own go before. */
  readonly vars: Readonly<Record<string, string>>;
  /** `rack.yaml:12:5` of what stands at a path within the profile with that index. */
  readonly locate: (index: number, path: readonly PropertyKey[]) => string;
}

/** Profiles, checked as a whole. */
export interface ProfileSet {
  readonly size: number;
  /** The plan of the most specific profile; undefined when none is for it. Throws BootServerError API_REFUSED. */
  plan(subject: BootSubject): SourceAnswer;
  readonly wantsSerial: boolean;
}

interface Compiled {
  readonly profile: Profile;
  readonly vars: Readonly<Record<string, string>>;
  readonly matches: Matcher;
  readonly where: string;
}

interface Chosen extends Compiled {
  /** Its answer to every machine, where nothing of the machine is in it. */
  readonly constant: { readonly answer: SourceAnswer } | undefined;
}

/** Every problem is reported at once, each with its place and what to write instead. */
export function compileProfiles(
  groups: readonly ProfileGroup[],
): { readonly ok: true; readonly set: ProfileSet } | { readonly ok: false; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const all: Compiled[] = [];
  const byName = new Map<string, Compiled>();
  for (const { profiles, vars, locate } of groups) {
    profiles.forEach((profile, index) => {
      const at = (...path: PropertyKey[]): string => `${locate(index, path)}: profile "${profile.name}"`;
      const compiled = {
        profile,
        vars: { ...vars, ...profile.vars },
        matches: compileMatch(profile.match),
        where: locate(index, []),
      };
      const twin = byName.get(profile.name);
      if (twin !== undefined) problems.push(`${at('name')}: the name stands at ${twin.where} too; give it another`);
      byName.set(profile.name, compiled);
      all.push(compiled);
      problems.push(...problemsOf(compiled, at));
    });
  }
  for (const { profile, where } of all) {
    for (const { profile: name } of profile.menu?.entries ?? []) {
      const entry = byName.get(name)?.profile;
      if (entry === undefined)
        problems.push(`${where}: profile "${profile.name}": there is no profile ${name} for its menu`);
      else if (entry.menu !== undefined || kindsOf(entry).length === 0)
        problems.push(
          `${where}: profile "${profile.name}": profile ${name} boots nothing by itself; take another for its menu`,
        );
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, set: profileSet(all, byName) };
}

function profileSet(all: readonly Compiled[], byName: ReadonlyMap<string, Compiled>): ProfileSet {
  const choices = all.map((each): Chosen => ({ ...each, constant: constantOf(each, byName) }));
  const order = new Map(choices.map((each, index) => [each, index]));
  const byMac = new Map<string, Chosen[]>();
  const others: Chosen[] = [];
  for (const each of choices) {
    const macs = onlyMacs(each.profile.match);
    if (macs === undefined) others.push(each);
    for (const mac of new Set(macs)) byMac.set(mac, [...(byMac.get(mac) ?? []), each]);
  }
  return {
    size: all.length,
    wantsSerial: all.some(
      ({ profile, vars }) => profile.match.serial !== undefined || namesIn(profile, vars).includes('serial'),
    ),
    plan: (subject) => {
      let best: Chosen | undefined;
      let bestWeight = -1;
      for (const each of [...(byMac.get(subject.mac) ?? []), ...others]) {
        const weight = each.matches(subject);
        if (weight === undefined || weight < bestWeight) continue;
        if (weight === bestWeight && best !== undefined && (order.get(each) ?? 0) > (order.get(best) ?? 0)) continue;
        best = each;
        bestWeight = weight;
      }
      if (best?.constant !== undefined) return best.constant.answer;
      return best === undefined ? undefined : answerOf(best, byName, (name) => valueFor(name, best, subject));
    },
  };
}

function constantOf(compiled: Compiled, byName: ReadonlyMap<string, Compiled>): Chosen['constant'] {
  let asks = false;
  const ask = (): string => {
    asks = true;
    return '';
  };
  const answer = answerOf(compiled, byName, (name) => {
    const own = compiled.vars[name];
    return own === undefined ? ask() : fillIn(own, ask);
  });
  return asks ? undefined : { answer };
}

function valueFor(name: string, { profile, vars, where }: Compiled, subject: BootSubject): string {
  const own = vars[name];
  if (own !== undefined) return fillIn(own, (inner) => valueFor(inner, { ...NO_VARS, profile, where }, subject));
  if (!isMachineVariable(name)) return '';
  const found = machineValue(name, subject);
  if (found.ok) return found.value;
  throw new BootServerError(BootServerErrorCode.ApiRefused, `${where}: profile "${profile.name}": ${found.reason}`);
}

const NO_VARS = { vars: {}, matches: () => undefined };

/** What a profile says once its variables are filled in. */
function answerOf(
  { profile, where }: Pick<Compiled, 'profile' | 'where'>,
  byName: ReadonlyMap<string, Compiled>,
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
  byName: ReadonlyMap<string, Compiled>,
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
function fillEntry(text: string, { vars }: Compiled, fill: (text: string) => string): string {
  return fillIn(text, (name) => fill(vars[name] ?? `\${${name}}`));
}

function fileOf(file: ProfileFile, fill: (text: string) => string): { uri: string; sha256: string | undefined } {
  const { uri, sha256 } = typeof file === 'string' ? { uri: file, sha256: undefined } : file;
  const filled = fill(uri);
  return { uri: filled.startsWith('/') ? pathToFileURL(filled).href : filled, sha256 };
}

function filesOf(files: ProfileFile | readonly ProfileFile[]): readonly ProfileFile[] {
  return typeof files === 'string' || 'uri' in files ? [files] : files;
}

function kindsOf({ kernel, script, boot, menu }: Profile): string[] {
  return Object.entries({ kernel, script, boot, menu }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
}

/** Texts of a profile that may have variables, with their paths. */
function textsOf(profile: Profile): (readonly [string, readonly PropertyKey[]])[] {
  const files = [
    ...(profile.kernel === undefined ? [] : [[profile.kernel, ['kernel']] as const]),
    ...filesOf(profile.initrd).map(
      (file, index) => [file, Array.isArray(profile.initrd) ? ['initrd', index] : ['initrd']] as const,
    ),
  ];
  return [
    ...files.map(([file, path]) => [typeof file === 'string' ? file : file.uri, path] as const),
    [profile.cmdline, ['cmdline']],
    [profile.message, ['message']],
    [profile.script ?? '', ['script']],
    [profile.menu?.title ?? '', ['menu', 'title']],
    ...(profile.menu?.entries ?? []).map(
      ({ label }, index) => [label ?? '', ['menu', 'entries', index, 'label']] as const,
    ),
  ];
}

function namesIn(profile: Profile, vars: Readonly<Record<string, string>>): string[] {
  const direct = textsOf(profile).flatMap(([text]) => variablesIn(text));
  return [...direct, ...direct.flatMap((name) => variablesIn(vars[name] ?? ''))];
}

function problemsOf(compiled: Compiled, at: (...path: PropertyKey[]) => string): string[] {
  const { profile, vars } = compiled;
  const problems: string[] = [];
  const kinds = kindsOf(profile);
  if (kinds.length > 1) problems.push(`${at(kinds[1] ?? '')}: it has ${kinds.join(' and ')}; keep one of them`);
  if (kinds.length === 0 && profile.loader === undefined)
    problems.push(`${at()}: it boots nothing; write kernel, script, boot, menu or loader`);
  const { menu } = profile;
  if (menu?.default !== undefined && !menu.entries.some((entry) => entry.profile === menu.default))
    problems.push(`${at('menu', 'default')}: ${menu.default} is no entry of the menu`);
  const known = `${[...Object.keys(vars), ...MACHINE_VARIABLES].join(', ')}; write $\${…} for what the boot loader shall fill in`;
  for (const [text, path] of textsOf(profile)) {
    for (const name of variablesIn(text))
      if (vars[name] === undefined && !isMachineVariable(name))
        problems.push(`${at(...path)}: there is no variable \${${name}}; known are ${known}`);
  }
  for (const [name, value] of Object.entries(profile.vars)) {
    for (const inner of variablesIn(value))
      if (!isMachineVariable(inner))
        problems.push(
          `${at('vars', name)}: variables may refer to ${MACHINE_VARIABLES.join(', ')} only, not to \${${inner}}`,
        );
  }
  if (problems.length > 0 || menu !== undefined) return problems;
  // Filled in with harmless values: what is wrong with it now is wrong with it for every machine.
  const plan = answerOf(compiled, new Map(), (name) => fillIn(vars[name] ?? 'x', () => 'x'));
  const reason = plan === undefined || plan.kind === 'next' ? undefined : refusePlan(plan);
  return reason === undefined ? [] : [`${at(...(kinds[0] === undefined ? [] : [kinds[0]]))}: ${reason}`];
}
