import type { Entropy } from './entropy.ts';

/** What a network does to datagrams on their way. Everything defaults to 0: instant and perfect. */
export interface Impairment {
  /** Probability that a datagram is lost, 0 to 1. */
  readonly loss?: number;
  /** Probability that it arrives twice, 0 to 1; each copy is delayed for itself. */
  readonly duplicate?: number;
  /** How long every datagram takes, milliseconds. */
  readonly delayMs?: number;
  /** A further delay in [0, jitterMs), different for every copy: may change the order. */
  readonly jitterMs?: number;
  /** Probability that a copy is held back by `reorderMs`, so that later ones overtake it, 0 to 1. */
  readonly reorder?: number;
  /** Default 20 milliseconds. */
  readonly reorderMs?: number;
}

const RESOLUTION = 2 ** 32;
const DEFAULT_REORDER_MS = 20;

/** The delays in milliseconds after which the copies of one datagram arrive: none when it is lost. */
export function arrivals(impairment: Impairment, entropy: Entropy): number[] {
  const {
    loss = 0,
    duplicate = 0,
    delayMs = 0,
    jitterMs = 0,
    reorder = 0,
    reorderMs = DEFAULT_REORDER_MS,
  } = impairment;
  const chance = (): number => entropy.int(RESOLUTION) / RESOLUTION;
  if (chance() < loss) return [];
  const copies = chance() < duplicate ? 2 : 1;
  return Array.from({ length: copies }, () => delayMs + chance() * jitterMs + (chance() < reorder ? reorderMs : 0));
}
