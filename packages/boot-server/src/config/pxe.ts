import { z } from 'zod';
import { ownPlaces } from './fields.ts';

export interface PxeConfig {
  readonly listen?: readonly string[] | undefined;
}

export const pxeSchema: z.ZodType<PxeConfig> = z
  .strictObject({
    listen: ownPlaces().optional().describe('own IPv4 addresses, or interfaces, for port 4011; default: dhcp.listen'),
  })
  .prefault({})
  .describe('PXE boot server');
