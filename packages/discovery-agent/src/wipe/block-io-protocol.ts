import * as z from 'zod/mini';
import type { Place, Sample } from './samples.ts';

/**
 * What the agent and its `block-io` child say to each other: JSON lines, one request at a time. The child holds one disk
 * open, exclusively, and nothing else: a disk that hangs takes the child with it, not the agent.
 */
export type BlockRequest =
  /** Reads each place and answers with its digest. */
  | { readonly do: 'sample'; readonly places: readonly Place[] }
  /** Writes noise made from `key` (32 bytes in hexadecimal), another one at each place. */
  | { readonly do: 'plant'; readonly places: readonly Place[]; readonly key: string }
  /** Writes zeroes, then flushes the disk's cache. */
  | { readonly do: 'zero'; readonly places: readonly Place[] };

export type BlockReply =
  | { readonly kind: 'ready' }
  /** Still at work; bytes of the request so far. */
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'samples'; readonly samples: readonly Sample[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string };

/** While it works the child says so this often. */
export const progressEveryMs = 1_000;

const uint = z.number().check(z.int(), z.nonnegative());
const place = z.object({ offset: uint, length: uint });

const requestSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('sample'), places: z.array(place) }),
  z.object({ do: z.literal('plant'), places: z.array(place), key: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
  z.object({ do: z.literal('zero'), places: z.array(place) }),
]);

const content = z.object({ place, sha256: z.string(), uniform: z.optional(uint) });
const unreadable = z.object({ place, error: z.string() });

const replySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('progress'), bytes: uint }),
  z.object({ kind: z.literal('samples'), samples: z.array(z.union([content, unreadable])) }),
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('failed'), reason: z.string() }),
]);

/** @throws Error when the line is no request */
export function parseRequest(line: string): BlockRequest {
  return requestSchema.parse(JSON.parse(line));
}

/** @returns undefined when the line is no reply */
export function parseReply(line: string): BlockReply | undefined {
  try {
    const reply = replySchema.parse(JSON.parse(line));
    if (reply.kind !== 'samples') return reply;
    // JSON leaves out what is undefined.
    const samples = reply.samples.map((sample) => ('error' in sample ? sample : { uniform: undefined, ...sample }));
    return { kind: reply.kind, samples };
  } catch {
    return undefined;
  }
}
