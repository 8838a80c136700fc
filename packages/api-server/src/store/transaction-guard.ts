import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Finds work that goes around its transaction: SQLite has one writer, which would wait for itself, and PostgreSQL would
 * read what was there before.
 */
export interface TransactionGuard {
  /** Runs `work` and remembers, for all that it calls, that a transaction is open. */
  inside<T>(work: () => Promise<T>): Promise<T>;
  /** Throws inside of a transaction. */
  refuseInside(): void;
}

export function createTransactionGuard(): TransactionGuard {
  const current = new AsyncLocalStorage<{ open: boolean }>();
  return {
    async inside(work) {
      const mark = { open: true };
      try {
        return await current.run(mark, work);
      } finally {
        mark.open = false;
      }
    },
    refuseInside() {
      if (current.getStore()?.open === true) {
        throw new TypeError('a transaction is open here: use the session or the stores that it was given');
      }
    },
  };
}
