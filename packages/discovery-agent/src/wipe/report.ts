import type { MethodName } from './method.ts';

/** A method that was tried and does not count. */
export interface WipeAttempt {
  readonly method: MethodName;
  readonly reason: string;
}

/** What became of one disk. */
export type DiskOutcome =
  | {
      readonly device: string;
      readonly state: 'wiped';
      readonly method: MethodName;
      readonly seconds: number;
      /** Places that were read back, and how many of them had content before: those are the proof. */
      readonly samples: number;
      readonly tellingSamples: number;
      readonly attempts: readonly WipeAttempt[];
      /** What is worth a word and no failure. */
      readonly notes: readonly string[];
    }
  | { readonly device: string; readonly state: 'skipped'; readonly reason: string }
  | {
      readonly device: string;
      readonly state: 'failed';
      readonly reason: string;
      readonly attempts: readonly WipeAttempt[];
    };

export interface WipeReport {
  /** `clean` only when every disk that must be wiped is wiped. */
  readonly verdict: 'clean' | 'unclean';
  /** Sorted as the kernel lists them: skipped ones among the others. */
  readonly disks: readonly DiskOutcome[];
}

export interface WipeProgress {
  readonly device: string;
  readonly method: MethodName | 'waiting for an earlier erase' | 'sampling';
  /** 0 to 1; an estimate where the disk tells nothing, and then never 1 before the end. */
  readonly fraction: number;
  readonly secondsLeft: number | undefined;
}

export function wipeReport(disks: readonly DiskOutcome[]): WipeReport {
  const sorted = [...disks].sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
  return { verdict: sorted.some(({ state }) => state === 'failed') ? 'unclean' : 'clean', disks: sorted };
}
