import * as wire from '@ingot/wire';

/** A hardware address with colons or dashes → lower case with colons; undefined when it is none. */
export function parseMac(text: string): string | undefined {
  const parsed = wire.parseMac(text);
  return parsed.ok ? parsed.value : undefined;
}

/** A UUID → lower case; undefined when it is none. */
export function parseUuid(text: string): string | undefined {
  const parsed = wire.parseMachineUuid(text);
  return parsed.ok ? parsed.value : undefined;
}

/**
 * Whether both name the same machine. SMBIOS before 2.6 left the byte order of the first three fields open, so one
 * firmware's UUID may be the other's with these turned round.
 */
export function isSameMachine(a: string, b: string): boolean {
  return a === b || turnFields(a) === b;
}

function turnFields(uuid: string): string {
  const [first = '', second = '', third = '', ...rest] = uuid.split('-');
  const turn = (hex: string): string => (hex.match(/../g) ?? []).toReversed().join('');
  return [turn(first), turn(second), turn(third), ...rest].join('-');
}
