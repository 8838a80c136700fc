import { byteAt, view } from './bytes.ts';

const utf8Decoder = new TextDecoder();
const utf8Encoder = new TextEncoder();

/** One character a byte (U+0000–U+00FF), so that every byte sequence has its own text and comes back from {@link bytesOfLatin1}. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The reverse of {@link latin1}. Characters above U+00FF have no byte and throw a RangeError. */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) throw new RangeError(`character ${index} of ${JSON.stringify(text)} does not fit one byte`);
    bytes[index] = code;
  }
  return bytes;
}

/** UTF-8 for people to read; bytes that are no UTF-8 become U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

export function bytesOfUtf8(text: string): Uint8Array {
  // Names and classes are short and ASCII: a loop has them ten times as fast as the encoder.
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return utf8Encoder.encode(text);
    bytes[index] = code;
  }
  return bytes;
}

/** Without the NUL bytes at the end: RFC 2132 §2 obliges receivers to bear them in text options. */
export function trimNuls(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return view(bytes, 0, end);
}

/** Up to the first NUL, as in the fixed `sname` and `file` fields. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : view(bytes, 0, nul);
}

/** True if every byte is 0. */
export function isBlank(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (byteAt(bytes, index) !== 0) return false;
  return true;
}
