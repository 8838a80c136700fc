/** Work in lanes: those of one key go one after the other, in their order; those of several keys side by side. */
export interface Lanes<Task> {
  push(task: Task): void;
  /** Not begun yet. */
  readonly waiting: number;
  /** Resolves when fewer than `count` tasks wait. */
  room(count: number): Promise<void>;
  /** Hands back what has not begun, and what comes later; resolves when all that has begun is over. */
  drain(notBegun: (task: Task) => void): Promise<void>;
}

export interface LanesOptions<Task> {
  /** How many tasks are under way at most. */
  readonly atOnce: number;
  readonly keyOf: (task: Task) => string;
  /** Never rejects. */
  readonly run: (task: Task) => Promise<void>;
}

export function createLanes<Task>({ atOnce, keyOf, run }: LanesOptions<Task>): Lanes<Task> {
  const queue: Task[] = [];
  let handBack: ((task: Task) => void) | undefined;
  const running = new Map<string, Promise<void>>();
  let changed = Promise.withResolvers<void>();

  const begin = (): void => {
    while (running.size < atOnce) {
      const index = queue.findIndex((task) => !running.has(keyOf(task)));
      const [task] = index < 0 ? [] : queue.splice(index, 1);
      if (task === undefined) return;
      const key = keyOf(task);
      const over = async (): Promise<void> => {
        await run(task);
        running.delete(key);
        begin();
        changed.resolve();
        changed = Promise.withResolvers();
      };
      running.set(key, over());
    }
  };

  return {
    push(task) {
      if (handBack !== undefined) return handBack(task);
      queue.push(task);
      begin();
    },
    get waiting() {
      return queue.length;
    },
    async room(count) {
      while (queue.length >= count) await changed.promise;
    },
    async drain(notBegun) {
      handBack = notBegun;
      for (const task of queue.splice(0)) notBegun(task);
      changed.resolve();
      await Promise.all(running.values());
    },
  };
}
