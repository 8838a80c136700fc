import { z } from 'zod';
import { listenAddress } from '@ingot/daemon';
import type { HttpEngine } from '../http/body/body-sender.ts';

export interface HttpConfig {
  readonly listen: string | readonly string[];
  readonly url?: string | undefined;
  readonly engine: HttpEngine;
  readonly maxBytesPerSecondPerClient?: number | undefined;
}

export const httpSchema: z.ZodType<HttpConfig> = z
  .strictObject({
    listen: z
      .union([listenAddress(), z.array(listenAddress()).min(1)])
      .describe('address:port of the HTTP server, or a list of them; an IPv6 address in brackets'),
    url: z
      .url({ protocol: /^http$/, error: 'write http://address:port: machines fetch their files without TLS' })
      .optional()
      .describe('base of the URLs that machines are given; default: advertiseAddress and the port of http.listen'),
    engine: z
      .enum(['auto', 'native', 'node'])
      .default('auto')
      .describe('how large files are sent: by the kernel where it can be (auto), always so, or never'),
    maxBytesPerSecondPerClient: z
      .int()
      .min(16_384)
      .optional()
      .describe('rate for each client, for NICs whose firmware stalls when much comes at once; default: none'),
  })
  .describe('scripts, kernels and machine configurations');
