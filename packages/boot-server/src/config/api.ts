import { z } from 'zod';
import { absolutePath } from './fields.ts';

export interface ApiConfig {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
}

export const apiSchema: z.ZodType<ApiConfig | undefined> = z
  .strictObject({
    url: z.url({ protocol: /^https$/, error: 'write https://host:port' }).describe('the API server'),
    caFile: absolutePath().describe(
      'PEM file of the authority that signed its certificate; machines are given it, too',
    ),
    tokenFile: absolutePath().describe('file with this server’s token'),
  })
  .optional()
  .describe('the API server; may be left out where sources decide');
