import type { BootSubject, SourceAnswer } from '../decide/boot-plan.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { answerOf, type CompiledProfile } from './profile-answer.ts';
import { filesNamed, type NamedFile } from './profile-files.ts';
import { compileMatch, onlyMacs } from './profile-match.ts';
import { kindsOf, namesIn, problemsOf } from './profile-problems.ts';
import type { Profile } from './profile-schema.ts';
import { fillIn, isMachineVariable, machineValue } from './profile-variables.ts';

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
  readonly files: readonly NamedFile[];
}

interface Chosen extends CompiledProfile {
  /** Its answer to every machine, where nothing of the machine is in it. */
  readonly constant: { readonly answer: SourceAnswer } | undefined;
}

/** Every problem is reported at once, each with its place and what to write instead. */
export function compileProfiles(
  groups: readonly ProfileGroup[],
): { readonly ok: true; readonly set: ProfileSet } | { readonly ok: false; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const all: CompiledProfile[] = [];
  const byName = new Map<string, CompiledProfile>();
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

function profileSet(all: readonly CompiledProfile[], byName: ReadonlyMap<string, CompiledProfile>): ProfileSet {
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
    files: filesNamed(all),
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

function constantOf(compiled: CompiledProfile, byName: ReadonlyMap<string, CompiledProfile>): Chosen['constant'] {
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

function valueFor(name: string, { profile, vars, where }: CompiledProfile, subject: BootSubject): string {
  const own = vars[name];
  if (own !== undefined) return fillIn(own, (inner) => valueFor(inner, { ...NO_VARS, profile, where }, subject));
  if (!isMachineVariable(name)) return '';
  const found = machineValue(name, subject);
  if (found.ok) return found.value;
  throw new BootServerError(BootServerErrorCode.ApiRefused, `${where}: profile "${profile.name}": ${found.reason}`);
}

const NO_VARS = { vars: {}, matches: () => undefined };
