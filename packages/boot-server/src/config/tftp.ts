import { z } from 'zod';
import { absolutePath, ownAddresses } from './fields.ts';

export interface TftpConfig {
  readonly listen?: readonly string[] | undefined;
  readonly root?: string | undefined;
}

export const tftpSchema: z.ZodType<TftpConfig> = z
  .strictObject({
    listen: ownAddresses().optional().describe('own addresses for port 69; default: dhcp.listen'),
    root: absolutePath().optional().describe('a folder whose files are published besides the iPXE binaries'),
  })
  .prefault({})
  .describe('TFTP, read only');
