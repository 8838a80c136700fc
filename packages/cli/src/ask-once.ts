import { ApiError, Code, type CallOptions } from '@ingot/api';
import { systemClock, systemEntropy } from '@ingot/net';
import type { CliIo } from './io.ts';

const TRIES = 3;
const PAUSE_MS = 2000;

/**
 * Asks for something to be made, and asks again when the answer is lost: the key that goes with it keeps the server from
 * making it twice. Throws ApiError of the last try.
 */
export async function askOnce<T>(io: CliIo, timeoutMs: number, ask: (options: CallOptions) => Promise<T>): Promise<T> {
  const idempotencyKey = Buffer.from(systemEntropy.bytes(16)).toString('hex');
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask({ timeoutMs, idempotencyKey });
    } catch (error) {
      const isLost =
        error instanceof ApiError && (error.code === Code.Unavailable || error.code === Code.DeadlineExceeded);
      if (!isLost || tries === TRIES) throw error;
      await (io.clock ?? systemClock).sleep(PAUSE_MS);
    }
  }
}
