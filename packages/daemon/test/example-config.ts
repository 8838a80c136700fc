import { z } from 'zod';
import { defineConfig, listenAddress, secret, type ConfigDefinition, type DaemonConfig } from '../src/index.ts';

export interface ExampleConfig extends DaemonConfig {
  readonly partition: string;
  readonly verbose: boolean;
  readonly dhcp: {
    readonly listen: readonly string[];
    readonly leaseSeconds: number;
    readonly mode: 'server' | 'proxy';
    readonly subnets: readonly { readonly subnet: string; readonly pool?: string | undefined }[];
  };
  readonly api: { readonly adminPassword?: string | undefined; readonly tokenFile?: string | undefined };
  readonly ports: readonly number[];
}

/** A configuration with one field of every kind. */
export const exampleConfig: ConfigDefinition<ExampleConfig> = defineConfig({
  name: 'example-part',
  description: 'Shows how a part is configured.',
  schema: z.object({
    partition: z.string().describe('the partition it serves'),
    verbose: z.boolean().default(false),
    dhcp: z.object({
      listen: z.array(listenAddress()).default(['0.0.0.0:67']).describe('addresses to listen on'),
      leaseSeconds: z.number().int().min(60).default(600).describe('how long a lease lasts, seconds'),
      mode: z.enum(['server', 'proxy']).default('server'),
      subnets: z.array(z.object({ subnet: z.cidrv4(), pool: z.string().optional() })).default([]),
    }),
    api: z
      .object({ adminPassword: secret(z.string().min(8)).optional(), tokenFile: z.string().optional() })
      .prefault({}),
    ports: z.array(z.number().int()).default([]),
  }),
});
