import { z } from 'zod';

/** Where S3 is, and with which key. */
export interface S3Settings {
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKeyFile: string;
}

/** What the operator says about backups. */
export interface BackupSettings {
  readonly to: string;
  readonly everyMinutes: number;
  readonly keep: number;
  readonly keyFile?: string | undefined;
  readonly s3?: S3Settings | undefined;
}

export const backupSchema: z.ZodOptional<z.ZodType<BackupSettings>> = z
  .strictObject({
    to: z
      .string()
      .regex(/^(?:\/|s3:\/\/[a-z0-9])/, 'write /a/directory or s3://bucket/prefix')
      .describe('where backups go: /a/directory or s3://bucket/prefix'),
    everyMinutes: z.int().min(1).max(10_080).default(60).describe('minutes between backups'),
    keep: z.int().min(1).max(10_000).default(48).describe('how many are kept; the oldest are removed'),
    keyFile: z
      .string()
      .optional()
      .describe('file with the key that they are encrypted with, for its owner only: openssl rand -base64 32'),
    s3: z
      .strictObject({
        endpoint: z.url().optional().describe("of a store that is not Amazon's, as https://minio.example:9000"),
        region: z.string().min(1).default('us-east-1').describe('region that requests are signed for'),
        accessKeyId: z.string().min(1).describe('name of the access key'),
        secretAccessKeyFile: z.string().describe('file with its secret, for its owner only'),
      })
      .optional()
      .describe('how to reach S3'),
  })
  .optional();

export const everyMs = ({ everyMinutes }: BackupSettings): number => everyMinutes * 60_000;
