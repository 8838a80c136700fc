import { concatBytes } from '../bytes.ts';
import type { Encoded } from '../result.ts';
import { bytesOfUtf8 } from '../text.ts';

/** A label of DNS: letters, digits and dashes, as RFC 1035 §2.3.1 prefers them, and underscores, which exist. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** RFC 1035 §2.3.4, with the length bytes and the root. */
const MAX_NAME_BYTES = 255;

/** The value of option 119 (RFC 3397): names in DNS form, without compression, which every client must bear. */
export function encodeDomainSearch(names: readonly string[]): Encoded<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const name of names) {
    const labels = name.replace(/\.$/, '').split('.');
    if (!labels.every((label) => LABEL.test(label))) return refused(name);
    const encoded = concatBytes([
      ...labels.flatMap((label) => [Uint8Array.of(label.length), bytesOfUtf8(label)]),
      Uint8Array.of(0),
    ]);
    if (encoded.length > MAX_NAME_BYTES) return refused(name);
    parts.push(encoded);
  }
  return { ok: true, value: concatBytes(parts) };
}

function refused(name: string): Encoded<never> {
  return { ok: false, reason: `${JSON.stringify(name)} is no domain name` };
}
