import { z } from 'zod';
import { profileSchema } from '../sources/profile-schema.ts';
import type { ProfilesConfig } from '../sources/profile-source.ts';
import { absolutePath } from './fields.ts';

/** pixiecore's HTTP API: somebody else's server that says what each machine boots. */
export interface HttpSourceConfig {
  readonly url: string;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly askDhcp: boolean;
}

export interface SourcesConfig {
  readonly profiles?: ProfilesConfig | undefined;
  readonly http?: HttpSourceConfig | undefined;
}

export const sourcesSchema: z.ZodType<SourcesConfig> = z
  .strictObject({
    profiles: z
      .strictObject({
        directory: absolutePath()
          .optional()
          .describe('folder of YAML files with profiles, read in the order of their names'),
        inline: z.array(profileSchema).default([]).describe('profiles that stand here'),
      })
      .optional()
      .describe('machine profiles in files'),
    http: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'write the prefix of the API, as http://10.0.0.5:4777/api' })
          .describe('prefix of an API as pixiecore asks one: <prefix>/v1/boot/<mac>'),
        timeoutMs: z.int().min(100).max(60_000).default(5_000).describe('how long one answer may take'),
        concurrency: z.int().min(1).max(1_024).default(128).describe('questions at once'),
        askDhcp: z
          .boolean()
          .default(false)
          .describe('ask <prefix>/v1/dhcp/<uuid> for DHCP answers, as metal-stack’s pixiecore does'),
      })
      .optional()
      .describe('pixiecore’s HTTP API'),
  })
  .prefault({})
  .describe('who decides what machines boot, besides the API');
