import { expect } from 'vitest';
import { bytesOfLatin1, type Decoded, parseIpv4, parseMac, type Ipv4, type Mac, type Encoded } from '../src/index.ts';

/** Bytes from hex digits; blanks and line breaks are there for the reader. */
export function bytes(hexText: string): Uint8Array {
  return Uint8Array.from(hexText.replaceAll(/[^0-9a-f]/gi, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export const ascii: (text: string) => Uint8Array = bytesOfLatin1;

/** The value, or a failed test. */
export function accepted<T>(decoded: Decoded<T> | Encoded<T> | undefined): T {
  if (!decoded?.ok) throw new Error(`refused: ${decoded?.reason ?? 'absent'}`);
  return decoded.value;
}

/** Checks where and why something was refused. */
export function refused(decoded: Decoded<unknown> | undefined, offset: number, reason: string | RegExp): void {
  expect(decoded).toEqual({ ok: false, offset, reason: expect.stringMatching(reason) });
}

export function ip(text: string): Ipv4 {
  return accepted(parseIpv4(text));
}

export function mac(text: string): Mac {
  return accepted(parseMac(text));
}
