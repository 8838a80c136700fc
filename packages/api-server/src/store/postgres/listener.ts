import type { Clock } from '@ingot/net';
import type { Notifier } from '../notifier.ts';
import type { PostgresConnection } from './connection.ts';

/** Hears the notifications of all replicas, on a connection of its own. */
export interface NotificationListener {
  /** False while its connection is away; what is missed meanwhile is made up for by `Notifier.missed`. */
  readonly listening: boolean;
  close(): Promise<void>;
}

/** All notifications go through one channel of PostgreSQL; the payload says which of ours. */
export const POSTGRES_CHANNEL = 'ingot';
const RECONNECT_MS = 1_000;
/** Nothing comes for hours where nothing changes: it is asked whether it is still there. */
const ASK_EVERY_MS = 10_000;

/** Resolves when it listens; later it comes back by itself. */
export async function startListener(
  connect: (onNotification: (payload: string) => void) => Promise<PostgresConnection>,
  notifier: Notifier,
  clock: Clock,
): Promise<NotificationListener> {
  const stop = new AbortController();
  const listen = async (): Promise<PostgresConnection> => {
    const connection = await connect((payload) => deliver(notifier, payload));
    try {
      await connection.query(`LISTEN ${POSTGRES_CHANNEL}`);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  };
  const untilGone = async (current: PostgresConnection): Promise<void> => {
    const ask = clock.setInterval(() => void current.query('SELECT 1').catch(() => undefined), ASK_EVERY_MS);
    await current.gone;
    ask.cancel();
  };
  let connection = await listen();
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await untilGone(connection);
      if (stop.signal.aborted) return;
      await connection.close();
      try {
        await clock.sleep(RECONNECT_MS, stop.signal);
        connection = await listen();
        notifier.missed();
      } catch {
        // The next question to the database says why; this comes back when that does.
      }
    }
  };
  const kept = keep();
  return {
    get listening() {
      return !connection.broken;
    },
    async close() {
      stop.abort();
      await connection.close();
      await kept;
    },
  };
}

/** As one of ours was sent by `encodeNotification`; anything else in the channel is somebody else's. */
function deliver(notifier: Notifier, text: string): void {
  const at = text.indexOf(' ');
  if (at > 0) notifier.deliver(text.slice(0, at), text.slice(at + 1));
}

/** PostgreSQL takes less than 8000 bytes. */
const MAX_PAYLOAD_BYTES = 7_000;

export function encodeNotification(channel: string, payload: string): string {
  if (!/^[a-z0-9_-]+$/.test(channel)) throw new TypeError(`"${channel}" cannot name a channel`);
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES)
    throw new TypeError('a notification names what changed, and is short');
  return `${channel} ${payload}`;
}
