import { z } from 'zod';
import { absolutePath, ipv4 } from './fields.ts';

export interface MachineConfig {
  readonly apiUrl?: string | undefined;
  readonly ntpServers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly debug: boolean;
  readonly v1?: MachineV1Config | undefined;
}

/** What machines of metal-stack's v1 API are told; files are read at each use. */
export interface MachineV1Config {
  readonly grpcAddress: string;
  readonly metalApiUrl?: string | undefined;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly hmacFile?: string | undefined;
  readonly withoutNonce: boolean;
  readonly logging?:
    | { readonly endpoint: string; readonly user?: string | undefined; readonly passwordFile?: string | undefined }
    | undefined;
}

export const machineSchema: z.ZodType<MachineConfig> = z
  .strictObject({
    apiUrl: z.url().optional().describe('the API as machines reach it; default: api.url'),
    ntpServers: z.array(z.string()).default([]).describe('time servers; default: those of the subnet'),
    dnsServers: z.array(ipv4()).default([]).describe('name servers; default: those of the subnet'),
    debug: z.boolean().default(false).describe('verbose discovery'),
    v1: z
      .strictObject({
        grpcAddress: z
          .string()
          .regex(/^\S+:\d+$/, { error: 'write host:port' })
          .describe('gRPC of metal-api, host:port'),
        metalApiUrl: z.url().optional().describe('REST of metal-api'),
        caFile: absolutePath().describe('PEM file of the authority of metal-api'),
        certFile: absolutePath().describe('PEM file of the certificate that all machines share'),
        keyFile: absolutePath().describe('PEM file of its key, for its owner only'),
        hmacFile: absolutePath().optional().describe('file with the HMAC key for viewing, for its owner only'),
        withoutNonce: z
          .boolean()
          .default(false)
          .describe(
            'also answer /certs without a nonce, to addresses leased here to machines that have just asked for a boot: for command lines that name PIXIE_API_URL themselves; whoever takes such an address gets the key that all machines share',
          ),
        logging: z
          .strictObject({
            endpoint: z.url().describe('Loki'),
            user: z.string().optional().describe('user of basic authentication'),
            passwordFile: absolutePath().optional().describe('file with its password, for its owner only'),
          })
          .optional()
          .describe('where machines log to'),
      })
      .optional()
      .describe('for http.v1Certs'),
  })
  .prefault({})
  .describe('what machines are told');
