import { z } from 'zod';
import { absolutePath, ownPlaces } from './fields.ts';

export interface TftpConfig {
  readonly listen?: readonly string[] | undefined;
  readonly root?: string | undefined;
  readonly engine: 'auto' | 'native' | 'node';
  readonly singlePort: boolean;
  readonly maxBlksize?: number | undefined;
  readonly maxWindowsize: number;
  readonly maxTransfers: number;
  readonly maxTransfersPerClient: number;
  readonly maxTransferMinutes: number;
  readonly minBytesPerSecond: number;
}

export const tftpSchema: z.ZodType<TftpConfig> = z
  .strictObject({
    listen: ownPlaces().optional().describe('own addresses, or interfaces, for port 69; default: dhcp.listen'),
    root: absolutePath().optional().describe('a folder whose files are published besides the iPXE binaries'),
    engine: z
      .enum(['auto', 'native', 'node'])
      .default('auto')
      .describe('what sends: native (fast, needs Linux), node (everywhere), or auto: native where it works'),
    singlePort: z
      .boolean()
      .default(false)
      .describe('send from port 69 as well, for NAT and firewalls; over IPv6 the node engine does that'),
    maxBlksize: z
      .int()
      .min(512)
      .max(65_464)
      .optional()
      .describe('largest block granted; default: what the way to the client carries in one piece'),
    maxWindowsize: z.int().min(1).max(256).default(64).describe('most blocks between two ACKs; 1 turns windows off'),
    maxTransfers: z.int().min(1).max(16_384).default(1024).describe('transfers at once'),
    maxTransfersPerClient: z.int().min(1).max(16_384).default(8).describe('transfers at once of one address'),
    maxTransferMinutes: z.int().min(1).max(1440).default(60).describe('a transfer that takes longer is ended'),
    minBytesPerSecond: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(256)
      .describe('a transfer that is slower over a minute is ended; 0 lets it be'),
  })
  .prefault({})
  .describe('TFTP, read only');
