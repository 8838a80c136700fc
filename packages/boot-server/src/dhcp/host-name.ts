import { latin1, OptionCode, type OptionMap } from '@ingot/wire';

/** Flags and two result codes, of old, before the name (RFC 4702 §2). */
const FQDN_NAME_AT = 3;
/** The name is in DNS wire format. */
const FLAG_E = 0x04;

/**
 * What the client calls itself, in lower case: option 12, else option 81, of which it is the name as it stands there,
 * whole or not. Undefined without one, and for what is no host name.
 */
export function hostNameOf(options: OptionMap): string | undefined {
  const plain = options.get(OptionCode.HOST_NAME);
  if (plain !== undefined) return checked(latin1(plain));
  const fqdn = options.get(OptionCode.CLIENT_FQDN);
  if (fqdn === undefined || fqdn.byteLength <= FQDN_NAME_AT) return undefined;
  const name = fqdn.subarray(FQDN_NAME_AT);
  return checked(((fqdn[0] ?? 0) & FLAG_E) === 0 ? latin1(name) : fromWire(name));
}

/** RFC 1123 §2.1, and the underscores and final dots and NULs that are seen. */
function checked(text: string): string | undefined {
  const name = text.replace(/[.\0]+$/, '').toLowerCase();
  return /^[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?$/.test(name) ? name : undefined;
}

/** Labels with their lengths (RFC 1035 §3.1), without pointers; '' for what ends in the midst of one. */
function fromWire(bytes: Uint8Array): string {
  const labels: string[] = [];
  let at = 0;
  for (let length = bytes[0] ?? 0; length > 0; length = bytes[at] ?? 0) {
    if (length > 63 || at + 1 + length > bytes.byteLength) return '';
    labels.push(latin1(bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return labels.join('.');
}
