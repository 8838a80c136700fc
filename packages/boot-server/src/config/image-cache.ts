import { z } from 'zod';
import { absolutePath } from './fields.ts';

export interface ImageCacheConfig {
  readonly directory?: string | undefined;
  readonly stores: readonly string[];
  readonly peers: readonly string[];
  readonly images: readonly { readonly url: string; readonly sha256?: string | undefined }[];
  readonly fromApi: boolean;
  readonly excludePaths: readonly string[];
  readonly maxDiskBytes: number;
  readonly minImagesPerName: number;
  readonly maxImagesPerName?: number | undefined;
  readonly expirationGraceDays: number;
  readonly syncMinutes: number;
}

const baseUrl = (): z.ZodURL => z.url({ protocol: /^https?$/, error: 'write http://host[:port] or https://host' });

export const imageCacheSchema: z.ZodType<ImageCacheConfig | undefined> = z
  .strictObject({
    directory: absolutePath().optional().describe('where images are kept; default: images in dataDir'),
    stores: z
      .array(baseUrl())
      .min(1, { error: 'name the store, as https://images.example.net' })
      .describe('base URLs of the stores: nothing else is fetched'),
    peers: z.array(baseUrl()).default([]).describe('base URLs of other boot servers, which are asked before the store'),
    images: z
      .array(
        z.strictObject({
          url: baseUrl(),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/, { error: 'write 64 hex digits, lower case' })
            .optional(),
        }),
      )
      .default([])
      .describe('images to keep besides those of the API, never dropped for others'),
    fromApi: z
      .boolean()
      .default(true)
      .describe('also keep the images of the API, and kernel and initrd of the partition'),
    excludePaths: z
      .array(z.string().min(1))
      .default(['/pull_requests/'])
      .describe('parts of URL paths whose images are left out'),
    maxDiskBytes: z.int().min(1).default(10_737_418_240).describe('disk space for all images together'),
    minImagesPerName: z
      .int()
      .min(1)
      .default(3)
      .describe('how many of the newest images of one name stay, whatever maxDiskBytes says'),
    maxImagesPerName: z.int().min(1).optional().describe('how many images of one name are kept; default: all'),
    expirationGraceDays: z.number().min(0).max(3_650).default(0).describe('how long an expired image is kept, days'),
    syncMinutes: z.int().min(1).max(10_080).default(10).describe('how often the lists are read again'),
  })
  .optional()
  .describe('cache of operating system images, kernels and initrds');
