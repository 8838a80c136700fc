import { parseArgs } from 'node:util';
import { z } from 'zod';
import { LabError } from './errors.ts';

const count = (minimum: number, maximum: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d+$/, 'expected a number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `expected ${minimum} to ${maximum}`);

/** Options of `ingot lab up`: flag, what it takes, what it is for. */
const flags = {
  once: { value: undefined, help: 'boot, print, take everything down again; exit status 0 when every machine waits' },
  firmware: { value: 'bios|uefi', help: 'firmware of the machines (bios)' },
  machines: { value: 'N', help: 'how many machines to boot, 1 to 16 (1)' },
  memory: { value: 'MIB', help: 'memory of each machine in MiB, 512 to 65536 (1024)' },
  cpus: { value: 'N', help: 'virtual CPUs of each machine, 1 to 64 (2)' },
  accel: { value: 'tcg|kvm|auto', help: 'software emulation, KVM, or KVM if it proves to work (auto)' },
  timeout: {
    value: 'SECONDS',
    help: 'give up when a machine does not wait by then, 5 to 3600 (300 and 60 more for each further machine)',
  },
  name: { value: 'NAME', help: 'name of the rack, so that several run side by side (lab)' },
  help: { value: undefined, help: 'print this' },
} as const;

/** Options of `ingot lab up` as they are used. */
export interface LabOptions {
  readonly once: boolean;
  readonly firmware: 'bios' | 'uefi';
  readonly machines: number;
  /** MiB of each machine. */
  readonly memory: number;
  readonly cpus: number;
  readonly accel: 'tcg' | 'kvm' | 'auto';
  /** Seconds; by default it grows with the number of machines. */
  readonly timeout?: number | undefined;
  readonly name: string;
  readonly help: boolean;
}

const schema: z.ZodType<LabOptions> = z.strictObject({
  once: z.boolean().default(false),
  firmware: z.enum(['bios', 'uefi']).default('bios'),
  machines: count(1, 16).default(1),
  memory: count(512, 65_536).default(1024),
  cpus: count(1, 64).default(2),
  accel: z.enum(['tcg', 'kvm', 'auto']).default('auto'),
  timeout: count(5, 3600).optional(),
  name: z
    .string()
    .regex(/^[a-z0-9]{1,8}$/, 'expected 1 to 8 lower-case letters and digits')
    .default('lab'),
  help: z.boolean().default(false),
});

export function usage(): string {
  const rows = Object.entries(flags).map(
    ([name, { value, help }]) => `  ${`--${name}${value === undefined ? '' : ` ${value}`}`.padEnd(24)} ${help}`,
  );
  return `usage: ingot lab up [options]      (npm start -- [options])\n\n${rows.join('\n')}\n`;
}

/** Reads the command line; LAB_OPTION names the flag, what was found and what it takes. */
export function parseOptions(argv: readonly string[]): LabOptions {
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      strict: true,
      options: Object.fromEntries(
        Object.entries(flags).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
      ),
    }));
  } catch (error) {
    throw new LabError('LAB_OPTION', `${error instanceof Error ? error.message : String(error)}\n\n${usage()}`, {
      cause: error,
    });
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const flag = String(issue.path[0]);
    return `--${flag} ${JSON.stringify(values[flag])}: ${issue.message}`;
  });
  throw new LabError('LAB_OPTION', `${problems.join('\n')}\n\n${usage()}`);
}
