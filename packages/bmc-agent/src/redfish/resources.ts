import { z } from 'zod';
import { BmcError, BmcErrorCode } from '../errors.ts';
import { link, path } from './link.ts';
import type { RedfishAnswer, RedfishCall } from './redfish-session.ts';

const page = z.object({
  Members: z.array(link).max(256),
  'Members@odata.nextLink': path.nullish(),
});

const MAX_MEMBERS = 64;
const MAX_PAGES = 16;

/**
 * The members of a collection, page after page (DSP0266, section 7.4.4). Rejects with BmcError `BMC_ANSWER` when there
 * is no end to them.
 */
export async function membersOf(call: RedfishCall, first: string, what: string): Promise<readonly string[]> {
  const members = new Set<string>();
  const seen = new Set<string>();
  for (let next: string | undefined = first; next !== undefined;) {
    if (seen.has(next) || seen.size === MAX_PAGES || members.size > MAX_MEMBERS)
      throw new BmcError(BmcErrorCode.Answer, `the BMC's ${what} has no end: update its firmware`);
    seen.add(next);
    const found: z.infer<typeof page> = parse(page, await call('GET', next), what);
    for (const member of found.Members) members.add(member['@odata.id']);
    next = found['Members@odata.nextLink'] ?? undefined;
  }
  return [...members].slice(0, MAX_MEMBERS);
}

/** Rejects what is not as the schema has it with BmcError `BMC_ANSWER`, and names the place. */
export function parse<Output>(schema: z.ZodType<Output>, answer: RedfishAnswer, what: string): Output {
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new BmcError(BmcErrorCode.Answer, `the BMC's ${what} is not as Redfish has it, at "${where}"`);
}
