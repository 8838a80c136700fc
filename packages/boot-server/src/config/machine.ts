import { z } from 'zod';
import { ipv4 } from './fields.ts';

export interface MachineConfig {
  readonly apiUrl?: string | undefined;
  readonly ntpServers: readonly string[];
  readonly dnsServers: readonly string[];
  readonly debug: boolean;
}

export const machineSchema: z.ZodType<MachineConfig> = z
  .strictObject({
    apiUrl: z.url().optional().describe('the API as machines reach it; default: api.url'),
    ntpServers: z.array(z.string()).default([]).describe('time servers; default: those of the subnet'),
    dnsServers: z.array(ipv4()).default([]).describe('name servers; default: those of the subnet'),
    debug: z.boolean().default(false).describe('verbose discovery'),
  })
  .prefault({})
  .describe('what machines are told');
