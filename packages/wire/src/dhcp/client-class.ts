import { byteAt, view } from '../bytes.ts';
import { latin1, trimNuls } from '../text.ts';
import { OptionCode } from './option-code.ts';
import type { OptionMap } from './option-map.ts';

/** Option 77 as clients send it. */
export interface UserClass {
  /** `list` is RFC 3004's length-prefixed form, `raw` is the bare text that iPXE and most others send. */
  readonly form: 'raw' | 'list';
  /** One class if raw. One character a byte. */
  readonly classes: readonly string[];
}

/**
 * Option 77 in both its forms. A value counts as a list only if its lengths, none of them 0, tile it exactly: a raw
 * text such as `iPXE` starts with a letter, a length greater than what follows, and so never looks like one.
 */
export function readUserClass(options: OptionMap): UserClass | undefined {
  const data = options.get(OptionCode.USER_CLASS);
  if (data === undefined) return undefined;
  const classes: string[] = [];
  let offset = 0;
  while (offset < data.length) {
    const next = offset + 1 + byteAt(data, offset);
    if (next === offset + 1 || next > data.length) return { form: 'raw', classes: [latin1(trimNuls(data))] };
    classes.push(latin1(view(data, offset + 1, next)));
    offset = next;
  }
  return { form: 'list', classes };
}

/** Option 61: a hardware type and address, or type 0 (or 255, RFC 4361) and whatever the client chose. */
export interface ClientId {
  /** Hardware type of `id` as in `htype`; 0 and 255 mean that `id` is no hardware address. */
  readonly type: number;
  readonly id: Uint8Array;
  /** The whole value, which is what identifies the client (RFC 2131 §4.2). */
  readonly raw: Uint8Array;
}

/** Option 61; an empty one is taken as none. */
export function readClientId(options: OptionMap): ClientId | undefined {
  const raw = options.get(OptionCode.CLIENT_ID);
  if (raw === undefined || raw.length === 0) return undefined;
  return { type: byteAt(raw, 0), id: view(raw, 1, raw.length), raw };
}

/** The value of option 77 in RFC 3004's form. */
export function encodeUserClassList(classes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(classes.reduce((sum, one) => sum + 1 + one.length, 0));
  let offset = 0;
  for (const one of classes) {
    bytes[offset] = one.length;
    bytes.set(one, offset + 1);
    offset += 1 + one.length;
  }
  return bytes;
}
