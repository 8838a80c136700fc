import type { BootSubject } from '../decide/boot-plan.ts';

/** Variables that a machine brings along. */
export const MACHINE_VARIABLES = [
  'mac',
  'macDashes',
  'uuid',
  'serial',
  'hostname',
  'circuitId',
  'remoteId',
  'subnet',
] as const;
export type MachineVariable = (typeof MACHINE_VARIABLES)[number];

export function isMachineVariable(name: string): name is MachineVariable {
  return MACHINE_VARIABLES.some((known) => known === name);
}

/** `$${` stands for `${`, which is iPXE's own then. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/** Every name in `${…}`. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** Puts values in place of `${name}`; `valueOf` must know every name of `variablesIn`. */
export function fillIn(text: string, valueOf: (name: string) => string): string {
  return text.replaceAll(REFERENCE, (_whole, name?: string) => (name === undefined ? '${' : valueOf(name)));
}

export type MachineValue =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string };

/**
 * The machine's own value. It comes from the network: a blank in it would begin a new word of a command line, so more
 * than the characters that names and numbers are made of is refused. Not known is the empty text.
 */
export function machineValue(name: MachineVariable, subject: BootSubject): MachineValue {
  const value = name === 'macDashes' ? subject.mac.replaceAll(':', '-') : (subject[name] ?? '');
  if (/^[\w.:/@+,-]{0,255}$/.test(value)) return { ok: true, value };
  return {
    ok: false,
    reason: `\${${name}} of ${subject.mac} is ${JSON.stringify(value.slice(0, 80))}, and may only have letters, digits and _.:/@+,-`,
  };
}
