import { z } from 'zod';
import { listenAddress } from '@ingot/daemon';
import { absolutePath } from './fields.ts';
import type { HttpEngine } from '../http/body/body-sender.ts';

export interface HttpConfig {
  readonly listen: string | readonly string[];
  readonly url?: string | undefined;
  readonly engine: HttpEngine;
  readonly maxBytesPerSecondPerClient?: number | undefined;
  readonly signing: HttpSigningConfig;
}

export interface HttpSigningConfig {
  readonly keyFile?: string | undefined;
  readonly previousKeyFile?: string | undefined;
  readonly urlMinutes: number;
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
    signing: z
      .strictObject({
        keyFile: absolutePath()
          .optional()
          .describe(
            'file with 64 hex digits, for its owner only, that signs URLs and nonces; the same on every boot server of the rack; default: signing.key in dataDir, made at the first start',
          ),
        previousKeyFile: absolutePath()
          .optional()
          .describe('the key before: what it signed is good until its end, for the time of a change of keys'),
        urlMinutes: z
          .int()
          .min(5)
          .max(10_080)
          .default(720)
          .describe('how long after its script a machine may load the files that it names'),
      })
      .prefault({})
      .describe('what keeps URLs and nonces from being made up'),
  })
  .describe('scripts, kernels and machine configurations');
