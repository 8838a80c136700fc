import { z } from 'zod';
import { listenAddress } from '@ingot/daemon';

export interface HttpConfig {
  readonly listen: string;
  readonly url?: string | undefined;
}

export const httpSchema: z.ZodType<HttpConfig> = z
  .strictObject({
    listen: listenAddress().describe('address:port of the HTTP server'),
    url: z
      .url({ protocol: /^http$/, error: 'write http://address:port: machines fetch their files without TLS' })
      .optional()
      .describe('base of the URLs that machines are given; default: advertiseAddress and the port of http.listen'),
  })
  .describe('scripts, kernels and machine configurations');
