/** Chance that a seed repeats. */
export interface Random {
  /** From 0 to below `bound`. */
  below(bound: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * bound);
  };
  return { below, pick: (list) => list[below(list.length)] ?? list[0] };
}
