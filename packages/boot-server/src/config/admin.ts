import { z } from 'zod';
import { absolutePath } from './fields.ts';

export interface AdminConfig {
  readonly socket?: string | undefined;
}

export const adminSchema: z.ZodType<AdminConfig> = z
  .strictObject({
    // sockaddr_un has 108 bytes for the path and its NUL.
    socket: absolutePath()
      .max(107, { error: 'write a path of at most 107 characters' })
      .optional()
      .describe('unix socket for ingot boot, for its owner only; default: admin.sock in dataDir'),
  })
  .prefault({})
  .describe('looking into the running server');
