import { aborted } from './errors.ts';

/**
 * Somebody has changed what was read before the transaction. What thousands do at once reads before: PostgreSQL tells
 * transactions apart by whole pages of an index that they have read, and rows of different machines stand on one page.
 */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

const MAX_TRIES = 20;

/** Runs `work`, which reads and then opens a transaction, until nobody changes in between what it has read. */
export async function untilAlone<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (attempt === MAX_TRIES) throw aborted('too many change the same things at once: try again', error);
    }
  }
}
