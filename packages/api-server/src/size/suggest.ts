import { apiV2, create } from '@ingot/api';

const { SizeConstraintSchema, SizeConstraintType: Type } = apiV2;

/**
 * Constraints that this machine meets exactly: cores by CPU model, memory, disks by the pattern of their names, GPUs by
 * model. A model's own pattern characters are escaped. Machines of the same make differ in memory by some MiB and in
 * disks by their vendors, so an operator widens the ranges.
 */
export function suggestConstraints(hardware: apiV2.MachineHardware): apiV2.SizeConstraint[] {
  const constraint = (type: apiV2.SizeConstraintType, amount: bigint, identifier?: string): apiV2.SizeConstraint =>
    create(SizeConstraintSchema, {
      type,
      min: amount,
      max: amount,
      ...(identifier === undefined ? {} : { identifier }),
    });
  const models = new Set(hardware.cpus.map(({ model }) => model));
  const cores = hardware.cpus.reduce((sum, cpu) => sum + cpu.cores, 0);
  const [only] = models;
  return [
    // Two models at once cannot be said: cores have one constraint.
    ...(hardware.cpus.length === 0
      ? []
      : [constraint(Type.CORES, BigInt(cores), models.size === 1 && only ? escapeGlob(only) : undefined)]),
    constraint(Type.MEMORY, hardware.memory),
    ...sumBy(
      hardware.disks,
      ({ name }) => diskPattern(name),
      ({ size }) => size,
    ).map(([pattern, size]) => constraint(Type.STORAGE, size, pattern)),
    ...sumBy(
      hardware.gpus,
      ({ model }) => escapeGlob(model),
      () => 1n,
    ).map(([pattern, count]) => constraint(Type.GPU, count, pattern)),
  ];
}

/** `/dev/sda` is one of `/dev/sd*`, `/dev/nvme0n1` of `/dev/nvme*`. */
function diskPattern(name: string): string {
  const kind = /^\/dev\/(?:nvme|sd|vd|hd|xvd|mmcblk|pmem)/.exec(name)?.[0];
  return kind === undefined ? escapeGlob(name) : `${kind}*`;
}

function sumBy<T>(items: readonly T[], key: (item: T) => string, amount: (item: T) => bigint): [string, bigint][] {
  const sums = new Map<string, bigint>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0n) + amount(item));
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[]/g, String.raw`\$&`);
}
