import type { z } from 'zod';

/**
 * Marks a field whose value is secret: `--print-config`, errors and logs show `[redacted]`, and there is no flag for
 * it, because every user of the machine can read another's command line. Apply it outermost or below `.optional()`.
 */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ ...schema.meta(), secret: true });
}
