import { ApiError, Code } from '@ingot/api';
import type { SqlValue } from './database.ts';

/** Refuses what one of the two databases could not store, so that they do not differ. */
export function checkValues(values: readonly SqlValue[]): void {
  for (const value of values) {
    if (typeof value === 'string' && value.includes('\0')) {
      throw new ApiError(Code.InvalidArgument, 'texts with NUL characters cannot be stored: leave them out');
    }
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new TypeError(`${value} is no whole number that both databases keep exactly`);
    }
  }
}
