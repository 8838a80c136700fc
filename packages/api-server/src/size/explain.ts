import { apiV2 } from '@ingot/api';
import { typeName } from './check-size.ts';
import { judgeSize, type ConstraintVerdict, type SizeVerdict } from './match.ts';

const { SizeConstraintType: Type } = apiV2;

/**
 * Why a machine is, or is not, of each size: one line for the size, then one for each constraint and each device that
 * is left over. The sizes that match come first, then those with the fewest reasons against them.
 */
export function explainSizes(sizes: readonly apiV2.Size[], hardware: apiV2.MachineHardware): string[] {
  const verdicts = sizes.map((size) => judgeSize(size, hardware));
  const against = ({ constraints, uncovered }: SizeVerdict): number =>
    constraints.filter(({ holds }) => !holds).length + uncovered.length;
  return verdicts
    .toSorted((a, b) => Number(b.matches) - Number(a.matches) || against(a) - against(b) || compare(a, b))
    .flatMap((verdict) => [headline(verdict), ...reasons(verdict).map((line) => `  ${line}`)]);
}

const compare = (a: SizeVerdict, b: SizeVerdict): number => (a.size.id < b.size.id ? -1 : 1);

function headline({ size, matches, constraints }: SizeVerdict): string {
  if (matches) return `${size.id}: matches`;
  return `${size.id}: ${constraints.length === 0 ? 'has no constraints, and matches nothing' : 'does not match'}`;
}

function reasons({ constraints, uncovered }: SizeVerdict): string[] {
  return [
    ...constraints.map(constraintLine),
    ...uncovered.map(
      ({ type, name }) => `no   ${deviceName(type, name)} is in no ${typeName(type)} constraint that holds`,
    ),
  ];
}

function constraintLine({ constraint, found, holds }: ConstraintVerdict): string {
  const { type, min, max, identifier = '' } = constraint;
  const of = identifier === '' ? '' : ` of "${identifier}"`;
  const amount = (value: bigint): string => (isBytes(type) ? bytes(value) : `${value}`);
  const range = min === max ? `exactly ${amount(min)}` : `${amount(min)} to ${amount(max)}`;
  return `${holds ? 'yes' : 'no '}  ${typeName(type)}${of}: ${range}; the machine has ${amount(found)}`;
}

function deviceName(type: apiV2.SizeConstraintType, name: string): string {
  return type === Type.MEMORY ? 'the memory' : name === '' ? 'a device without a name' : name;
}

const isBytes = (type: apiV2.SizeConstraintType): boolean => type === Type.MEMORY || type === Type.STORAGE;

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** With the exact number where the rounded one would hide why a range is missed. */
function bytes(value: bigint): string {
  let unit = 0;
  let scaled = Number(value);
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  const text = `${Number(scaled.toFixed(1))} ${UNITS[unit] ?? ''}`;
  return unit === 0 ? text : `${text} (${value})`;
}
