import { z } from 'zod';
import { absolutePath, httpListen } from './fields.ts';
import type { HttpEngine } from '../http/body/body-sender.ts';

export interface HttpConfig {
  readonly listen: string | readonly string[];
  readonly url?: string | undefined;
  readonly engine: HttpEngine;
  readonly maxBytesPerSecondPerClient?: number | undefined;
  readonly signing: HttpSigningConfig;
  readonly tls?: HttpTlsConfig | undefined;
  readonly v1Certs: boolean;
}

export interface HttpTlsConfig {
  readonly listen: string;
  readonly url?: string | undefined;
  readonly certFile: string;
  readonly keyFile: string;
  readonly scripts: boolean;
}

export interface HttpSigningConfig {
  readonly keyFile?: string | undefined;
  readonly previousKeyFile?: string | undefined;
  readonly urlMinutes: number;
}

export const httpSchema: z.ZodType<HttpConfig> = z
  .strictObject({
    listen: z
      .union([httpListen(), z.array(httpListen()).min(1)])
      .describe('address:port or interface:port of the HTTP server, or a list of them; an IPv6 address in brackets'),
    url: z
      .url({ protocol: /^http$/, error: 'write http://address:port: machines fetch their files without TLS' })
      .optional()
      .describe(
        'base of the URLs that machines are given; default: advertiseAddress, or that of their network, and the port of http.listen',
      ),
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
    tls: z
      .strictObject({
        listen: httpListen().describe('address:port or interface:port of the HTTPS server'),
        url: z
          .url({ protocol: /^https$/, error: 'write https://host:port' })
          .optional()
          .describe(
            'base of the URLs that machines are given which ask over HTTPS; default: advertiseAddress and the port',
          ),
        certFile: absolutePath().describe('PEM file of the certificate, with those between it and its authority'),
        keyFile: absolutePath().describe('PEM file of its key, for its owner only'),
        scripts: z
          .boolean()
          .default(false)
          .describe(
            'lead iPXE builds that say that they speak HTTPS (option 175) to a script over it; they must trust the certificate',
          ),
      })
      .optional()
      .describe('HTTPS besides HTTP; both files are read again when they change'),
    v1Certs: z
      .boolean()
      .default(false)
      .describe(
        'give machines the configuration of metal-stack’s v1 API, at /certs with a nonce; it has a key that all machines share: see machine.v1',
      ),
  })
  .describe('scripts, kernels and machine configurations');
