/** How long the calls of each kind took, and how each ended. */
export interface Latencies {
  /** Milliseconds from when the call was due, so that a call that had to wait for its turn counts as late. */
  add(kind: string, ms: number): void;
  /** Something that is no call of its own. */
  addOther(kind: string, ms: number): void;
  fail(kind: string, reason: string): void;
  readonly calls: number;
  /** Every failure, counted by its words. */
  readonly failures: ReadonlyMap<string, number>;
  /** One line for each kind: how many, and the latencies that half, 95 % and 99 % of them did not exceed. */
  table(): string[];
  /** The worst p99 of all kinds, milliseconds. */
  worstP99(): number;
}

/** Failures that are printed. */
const MAX_LINES = 10;

export function createLatencies(): Latencies {
  const kinds = new Map<string, number[]>();
  const failures = new Map<string, number>();
  let calls = 0;
  const note = (kind: string, ms: number): void => {
    const list = kinds.get(kind);
    if (list === undefined) kinds.set(kind, [ms]);
    else list.push(ms);
  };
  const sorted = (): [string, number[]][] => [...kinds].map(([kind, list]) => [kind, list.toSorted((a, b) => a - b)]);
  return {
    get calls() {
      return calls;
    },
    failures,
    add(kind, ms) {
      calls += 1;
      note(kind, ms);
    },
    addOther: note,
    fail(kind, reason) {
      const words = `${kind}: ${reason}`;
      failures.set(words, (failures.get(words) ?? 0) + 1);
    },
    table: () => [
      `  ${'call'.padEnd(22)} ${['calls', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'].map((head) => head.padStart(9)).join('')}`,
      ...sorted().map(([kind, list]) => {
        const figures = [0.5, 0.95, 0.99, 1].map((share) => percentile(list, share).toFixed(1).padStart(9));
        return `  ${kind.padEnd(22)} ${list.length.toLocaleString('en-GB').padStart(9)}${figures.join('')}`;
      }),
      ...[...failures].slice(0, MAX_LINES).map(([words, count]) => `  FAILED ${count} × ${words}`),
      ...(failures.size > MAX_LINES ? [`  … and ${failures.size - MAX_LINES} other kinds of failures`] : []),
    ],
    worstP99: () => Math.max(0, ...sorted().map(([, list]) => percentile(list, 0.99))),
  };
}

/** The value that this share of a sorted list does not exceed; NaN of an empty one. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
