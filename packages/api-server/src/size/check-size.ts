import { apiV2, enumText } from '@ingot/api';
import { compileGlob } from './glob.ts';

const { SizeConstraintType: Type, SizeConstraintTypeSchema } = apiV2;

/** What is wrong with a size in itself, in words; empty when nothing is. */
export function checkConstraints(constraints: readonly apiV2.SizeConstraint[]): string[] {
  const problems: string[] = [];
  for (const [index, { type, min, max, identifier = '' }] of constraints.entries()) {
    const where = `constraints[${index}] (${typeName(type)})`;
    if (max < min) problems.push(`${where}: max ${max} is less than min ${min}`);
    if (type === Type.GPU && identifier === '')
      problems.push(`${where}: needs an identifier, a pattern over the models of GPUs`);
    if (type === Type.MEMORY && identifier !== '') problems.push(`${where}: memory has no identifier`);
    const glob = compileGlob(identifier);
    if ('problem' in glob) problems.push(`${where}: identifier ${glob.problem}`);
  }
  for (const type of [Type.CORES, Type.MEMORY]) {
    const count = constraints.filter((constraint) => constraint.type === type).length;
    if (count > 1) problems.push(`${count} constraints of type ${typeName(type)}: one is allowed`);
  }
  return problems;
}

/**
 * Whether a machine could be of both sizes. Constraints with the same identifier must have ranges that meet; one that
 * only one of them has must allow for none. Different identifiers count as different devices, as upstream has it: who
 * writes `/dev/sd*` beside `/dev/nvme*` means so. A size without constraints matches nothing and overlaps with nothing.
 */
export function overlaps(one: apiV2.Size, other: apiV2.Size): boolean {
  if (one.constraints.length === 0 || other.constraints.length === 0) return false;
  const others = byDevice(other);
  const own = byDevice(one);
  return [...new Set([...own.keys(), ...others.keys()])].every((device) => {
    const [mine, its] = [own.get(device), others.get(device)];
    if (mine === undefined || its === undefined) return (mine ?? its)?.min === 0n;
    return mine.min <= its.max && its.min <= mine.max;
  });
}

/** The range of each type and identifier; several constraints on the same one have to hold together. */
function byDevice(size: apiV2.Size): ReadonlyMap<string, { readonly min: bigint; readonly max: bigint }> {
  const ranges = new Map<string, { readonly min: bigint; readonly max: bigint }>();
  for (const { type, identifier = '', min, max } of size.constraints) {
    const device = `${type} ${identifier}`;
    const before = ranges.get(device);
    ranges.set(device, {
      min: before !== undefined && before.min > min ? before.min : min,
      max: before !== undefined && before.max < max ? before.max : max,
    });
  }
  return ranges;
}

export function typeName(type: apiV2.SizeConstraintType): string {
  return enumText(SizeConstraintTypeSchema, type);
}
