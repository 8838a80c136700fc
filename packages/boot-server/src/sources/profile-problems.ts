import { refusePlan } from '../decide/plan-check.ts';
import { answerOf, filesOf, type CompiledProfile } from './profile-answer.ts';
import type { Profile } from './profile-schema.ts';
import { fillIn, isMachineVariable, MACHINE_VARIABLES, variablesIn } from './profile-variables.ts';

/** What is wrong with a profile by itself, in words. `at` puts the place of a path within it before them. */
export function problemsOf(compiled: CompiledProfile, at: (...path: PropertyKey[]) => string): string[] {
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

/** The keys of a profile that say what to boot: one at most. */
export function kindsOf({ kernel, script, boot, menu }: Profile): string[] {
  return Object.entries({ kernel, script, boot, menu }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
}

/** The variables that a profile's texts have, and those in the values of its own. */
export function namesIn(profile: Profile, vars: Readonly<Record<string, string>>): string[] {
  const direct = textsOf(profile).flatMap(([text]) => variablesIn(text));
  return [...direct, ...direct.flatMap((name) => variablesIn(vars[name] ?? ''))];
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
