import { equalBytes } from '../bytes.ts';
import { Cursor } from '../cursor.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';

export const NTP_PORT = 123;

/** Bytes of an NTP packet without extension fields (RFC 5905 §7.3). */
const PACKET_BYTES = 48;
/** Leap indicator 0, version 4, mode 3: a client. */
const CLIENT = 0x23;
const MODE_SERVER = 4;
/** Leap indicator of a server whose own clock is not set (§7.3, figure 9). */
const UNSYNCHRONIZED = 3;
/** The longest a server's clock may have been left alone, §7.3: stratum 16 is unsynchronized, 0 is a kiss-o'-death. */
const MAX_STRATUM = 15;
const ORIGIN_OFFSET = 24;
const TRANSMIT_OFFSET = 40;
/** Seconds from 1900-01-01 to 1970-01-01. */
const UNIX_EPOCH = 2_208_988_800;
const ERA_SECONDS = 2 ** 32;

/** What a time server says; milliseconds since 1970. */
export interface SntpAnswer {
  /** When it got the request, and when it sent this. */
  readonly receivedAtMs: number;
  readonly sentAtMs: number;
  /** 1 for a server with a clock of its own, up to 15. */
  readonly stratum: number;
}

/**
 * A client's request (RFC 5905 §14). `cookie`, 8 bytes, goes where the client's clock would: the server gives it back,
 * and it need not know what time it is here.
 */
export function encodeSntpRequest(cookie: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  bytes[0] = CLIENT;
  bytes.set(cookie.subarray(0, 8), TRANSMIT_OFFSET);
  return bytes;
}

/**
 * Decodes the answer to the request with that cookie. Refused: what is no server's answer, or another request's, and a
 * server that does not know the time itself or wants to be left alone (kiss-o'-death, §7.4).
 */
export function decodeSntpAnswer(bytes: Uint8Array, cookie: Uint8Array): Decoded<SntpAnswer> {
  const cursor = new Cursor(bytes);
  const first = cursor.uint8('leap indicator, version and mode');
  const stratum = cursor.uint8('stratum');
  cursor.take(10, 'poll, precision, delay and dispersion');
  const reference = cursor.take(4, 'reference id');
  cursor.take(8, 'reference time');
  const origin = cursor.take(8, 'origin time');
  const received = readTime(cursor, 'receive time');
  const sent = readTime(cursor, 'transmit time');
  if (cursor.overrun !== undefined) return cursor.overrun;
  if ((first & 0x07) !== MODE_SERVER) return malformed(0, `mode ${first & 0x07} is not a server's`);
  if (!equalBytes(origin, cookie)) return malformed(ORIGIN_OFFSET, 'it answers another request');
  if (stratum === 0) return malformed(1, `the server refuses: ${String.fromCharCode(...reference.map(printable))}`);
  if (first >>> 6 === UNSYNCHRONIZED || stratum > MAX_STRATUM) return malformed(0, 'the server does not know the time');
  if (sent === 0) return malformed(TRANSMIT_OFFSET, 'it says no time');
  return accept({ receivedAtMs: received, sentAtMs: sent, stratum });
}

/** 0 for no time. The era that began in 1900 ends in 2036: small numbers are of the next one (RFC 4330 §3). */
function readTime(cursor: Cursor, what: string): number {
  const seconds = cursor.uint32(what);
  const fraction = cursor.uint32(what);
  if (seconds === 0 && fraction === 0) return 0;
  const era = seconds >= ERA_SECONDS / 2 ? 0 : ERA_SECONDS;
  return (seconds + era - UNIX_EPOCH) * 1000 + Math.round((fraction * 1000) / ERA_SECONDS);
}

function printable(byte: number): number {
  return byte >= 0x20 && byte < 0x7f ? byte : 0x3f;
}
