import { apiV2 } from '@ingot/api';
import { compileGlob } from './glob.ts';

const { SizeConstraintType: Type } = apiV2;

/** What a machine has of one kind of thing that sizes are about. */
interface Device {
  /** As constraints name it: a CPU's or GPU's model, a disk's `/dev/…`; empty for the memory. */
  readonly name: string;
  /** Cores, bytes or one GPU. */
  readonly amount: bigint;
}

/** Whether one constraint holds for a machine. */
export interface ConstraintVerdict {
  readonly constraint: apiV2.SizeConstraint;
  /** What the machine has of it: cores, bytes of memory, bytes of storage, or GPUs. */
  readonly found: bigint;
  readonly holds: boolean;
}

/** Whether a machine is of a size, and why. */
export interface SizeVerdict {
  readonly size: apiV2.Size;
  readonly matches: boolean;
  readonly constraints: readonly ConstraintVerdict[];
  /** Devices that no holding constraint is about: a machine with a GPU is of no size that says nothing of GPUs. */
  readonly uncovered: readonly { readonly type: apiV2.SizeConstraintType; readonly name: string }[];
}

/** The size of a machine without a size, or with several. */
export const UNKNOWN_SIZE = 'unknown';

const TYPES = [Type.CORES, Type.MEMORY, Type.STORAGE, Type.GPU] as const;

/**
 * Judges a size: every constraint has to hold, and every device has to be covered by a constraint of its type that
 * holds. A size without constraints matches nothing.
 */
export function judgeSize(size: apiV2.Size, hardware: apiV2.MachineHardware): SizeVerdict {
  const devices = devicesOf(hardware);
  const constraints = size.constraints.map((constraint): ConstraintVerdict => {
    const found = covered(constraint, devices[constraint.type] ?? []).reduce((sum, { amount }) => sum + amount, 0n);
    return { constraint, found, holds: constraint.min <= found && found <= constraint.max };
  });
  const uncovered = TYPES.flatMap((type) => {
    const holding = constraints.filter(({ constraint, holds }) => holds && constraint.type === type);
    const names = new Set(
      holding.flatMap(({ constraint }) => covered(constraint, devices[type] ?? []).map(({ name }) => name)),
    );
    return (devices[type] ?? []).filter(({ name }) => !names.has(name)).map(({ name }) => ({ type, name }));
  });
  // Every machine has memory, so a size that says nothing leaves at least that uncovered.
  const matches = constraints.every(({ holds }) => holds) && uncovered.length === 0;
  return { size, matches, constraints, uncovered };
}

/** The id of the one size that matches; `unknown` when none or several do. */
export function matchSize(sizes: readonly apiV2.Size[], hardware: apiV2.MachineHardware): string {
  const matching = sizes.filter((size) => judgeSize(size, hardware).matches);
  return matching.length === 1 ? (matching[0]?.id ?? UNKNOWN_SIZE) : UNKNOWN_SIZE;
}

function devicesOf(hardware: apiV2.MachineHardware): Partial<Record<apiV2.SizeConstraintType, readonly Device[]>> {
  return {
    [Type.CORES]: hardware.cpus.map(({ model, cores }) => ({ name: model, amount: BigInt(cores) })),
    [Type.MEMORY]: [{ name: '', amount: hardware.memory }],
    [Type.STORAGE]: hardware.disks.map(({ name, size }) => ({ name, amount: size })),
    [Type.GPU]: hardware.gpus.map(({ model }) => ({ name: model, amount: 1n })),
  };
}

/** An identifier that is no pattern covers nothing; such a size is refused when it is made. */
function covered({ identifier = '', type }: apiV2.SizeConstraint, devices: readonly Device[]): readonly Device[] {
  if (identifier === '' || type === Type.MEMORY) return devices;
  const glob = compileGlob(identifier);
  return 'problem' in glob ? [] : devices.filter(({ name }) => glob.matches(name));
}
