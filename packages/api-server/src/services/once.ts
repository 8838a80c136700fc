import { createHash } from 'node:crypto';
import { ApiError, Code, methodPath, toJson, type DescMethod, type Message, type ServerContext } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { Stores } from '../store/stores.ts';
import { userOf } from './user-of.ts';

export interface OnceOptions<Answer> {
  readonly method: DescMethod;
  readonly request: Message;
  readonly context: ServerContext<Caller>;
  /** Key of the transaction, where the work needs one. */
  readonly serialise?: string;
  /** Makes something, and says under which id `again` finds it. */
  readonly make: (stores: Stores) => Promise<{ readonly id: string; readonly answer: Answer }>;
  /** The answer about what was made before, as it is now. Throws `NotFound` when it is gone. */
  readonly again: (stores: Stores, id: string) => Promise<Answer>;
}

/**
 * Makes something in a transaction; with the header `idempotency-key` no second time, so that a client whose answer was
 * lost may ask again. A key is its user's and its method's. Throws `InvalidArgument` for a key that was used for another
 * request, and what `make` and `again` throw: what fails makes nothing, and its key may be used again.
 */
export function once<Answer>(stores: Stores, options: OnceOptions<Answer>): Promise<Answer> {
  const { method, request, context, make, again } = options;
  const { idempotencyKey } = context;
  if (idempotencyKey === undefined) return stores.transaction(async (inner) => (await make(inner)).answer, options);
  const key = { user: userOf(context.caller), method: methodPath(method), key: idempotencyKey };
  const hash = createHash('sha256')
    .update(canonical(toJson(method.input, request)))
    .digest('hex');
  return stores.transaction(
    async (inner) => {
      const found = await inner.idempotency.get(key);
      if (found === undefined) {
        const { id, answer } = await make(inner);
        await inner.idempotency.add(key, { request: hash, made: id });
        return answer;
      }
      if (found.request !== hash) {
        throw new ApiError(
          Code.InvalidArgument,
          'this idempotency-key was used for another request: take a new one for each thing that is to be made',
        );
      }
      return again(inner, found.made);
    },
    // Two tries at once come one after the other.
    { serialise: options.serialise ?? `once/${key.user}` },
  );
}

/** JSON whose objects have their keys in order: maps come in any. */
function canonical(json: unknown): string {
  return JSON.stringify(json, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
