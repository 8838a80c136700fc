import { z } from 'zod';

export interface BootConfig {
  readonly seenWithinMinutes: number;
  readonly nonceMinutes: number;
}

export const bootSchema: z.ZodType<BootConfig> = z
  .strictObject({
    seenWithinMinutes: z
      .int()
      .min(1)
      .max(1_440)
      .default(30)
      .describe('how long after its DHCP request a machine may fetch its script'),
    nonceMinutes: z
      .int()
      .min(1)
      .max(1_440)
      .default(30)
      .describe('how long after its script a machine may fetch its configuration'),
  })
  .prefault({})
  .describe('time limits of one boot');
