import { open } from 'node:fs/promises';

/** The write-ahead log, as far as it concerns the disk. */
export interface Journal {
  /**
   * Resolves when all that was committed before the call is on the disk. Those who ask while the disk works share the
   * next wait. Rejects with what the disk says.
   */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Waits for the disk in another thread: SQLite itself would do it in this one, where nobody is served meanwhile. The log
 * is never removed while a connection is open, and nobody locks it, so a second file handle does no harm.
 */
export async function openJournal(path: string): Promise<Journal> {
  const file = await open(path, 'r+');
  const flushes = shareFlushes(() => file.datasync());
  return {
    flush: flushes,
    async close() {
      await flushes().catch(() => undefined);
      await file.close();
    },
  };
}

/** Runs `sync` one at a time; whoever asks while it runs gets the next run, since this one may have begun too early. */
export function shareFlushes(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const current = sync().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
