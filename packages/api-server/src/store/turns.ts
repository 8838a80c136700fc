import { setImmediate } from 'node:timers/promises';

/** Machines whose records are read, decoded and shown in about ten milliseconds. */
const AT_ONCE = 64;

/** Slices of a long list, of 64 unless said otherwise. Between two of them everybody else has a turn, who would wait for all of it otherwise. */
export async function* turns<T>(list: readonly T[], atOnce: number = AT_ONCE): AsyncGenerator<readonly T[]> {
  for (let at = 0; at < list.length; at += atOnce) {
    if (at > 0) await setImmediate();
    yield list.slice(at, at + atOnce);
  }
}
