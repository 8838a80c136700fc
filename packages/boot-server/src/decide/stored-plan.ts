import { z } from 'zod';
import type { BootPlan } from './boot-plan.ts';
import { refusePlan } from './plan-check.ts';

const extras = { loader: z.string().optional(), origin: z.string().optional() };
const message = z.string();

const plan: z.ZodType<BootPlan> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('kernel'),
      kernel: z.string(),
      initRamDisks: z.array(z.string()),
      cmdline: z.string(),
      message,
      wantsConfig: z.boolean(),
      sha256: z.record(z.string(), z.string()).optional(),
      ...extras,
    }),
    z.object({ kind: z.literal('script'), script: z.string(), ...extras }),
    z.object({ kind: z.literal('local'), message, ...extras }),
    z.object({ kind: z.literal('hold'), message, ...extras }),
    z.object({ kind: z.literal('ignore'), message, ...extras }),
    z.object({
      kind: z.literal('menu'),
      menu: z.object({
        title: z.string(),
        defaultEntry: z.string(),
        timeoutSeconds: z.int(),
        entries: z.array(z.object({ name: z.string(), label: z.string(), plan })),
      }),
      ...extras,
    }),
  ]),
);

/** A plan as `JSON.stringify` wrote it; undefined when it is none, or one that must not be carried out. */
export function parseStoredPlan(json: string): BootPlan | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const parsed = plan.safeParse(value);
  return parsed.success && refusePlan(parsed.data) === undefined ? parsed.data : undefined;
}
