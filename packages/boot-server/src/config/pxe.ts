import { z } from 'zod';
import { ownAddresses } from './fields.ts';

export interface PxeConfig {
  readonly listen?: readonly string[] | undefined;
}

export const pxeSchema: z.ZodType<PxeConfig> = z
  .strictObject({ listen: ownAddresses().optional().describe('own addresses for port 4011; default: dhcp.listen') })
  .prefault({})
  .describe('PXE boot server');
