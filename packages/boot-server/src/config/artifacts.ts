import { z } from 'zod';
import { absolutePath } from './fields.ts';

export interface ArtifactsConfig {
  readonly roots: readonly string[];
  readonly maxBytes: number;
}

export const artifactsSchema: z.ZodType<ArtifactsConfig> = z
  .strictObject({
    roots: z.array(absolutePath()).default([]).describe('folders out of which file: URIs of the API are served'),
    maxBytes: z.int().min(1).default(1_073_741_824).describe('memory for kernels and initrds, all together'),
  })
  .prefault({})
  .describe('kernels and initrds');
