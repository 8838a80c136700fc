import { hex, latin1 } from '@ingot/wire';

/**
 * An id that a relay puts beside a request, for people and profiles to name: as text where it is printable ASCII, else
 * `0x` and hex digits. Undefined where there is none.
 */
export function relayIdText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  for (const byte of bytes) if (byte < 0x20 || byte > 0x7e) return `0x${hex(bytes)}`;
  return latin1(bytes);
}
