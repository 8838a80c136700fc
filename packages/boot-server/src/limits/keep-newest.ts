/**
 * Puts an entry into a Map as its newest, and lets it have at most `max` (8 or more) entries: beyond that the oldest
 * eighth goes. In one go, for a Map whose first entries were deleted one by one takes ever longer to find its first.
 */
export function keepNewest<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  const before = map.size;
  map.set(key, value);
  if (map.size === before) {
    // It was there, and stays in its place.
    map.delete(key);
    map.set(key, value);
  }
  if (map.size <= max) return;
  const left = max - Math.floor(max / 8);
  for (const oldest of map.keys()) {
    if (map.size <= left) return;
    map.delete(oldest);
  }
}
