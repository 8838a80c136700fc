/**
 * What a decoder makes of bytes from the network. A malformed packet is a value: `offset` is where in the decoded
 * bytes the trouble starts, `reason` says it in words fit for a log line.
 */
export type Decoded<T> = { readonly ok: true; readonly value: T } | Malformed;

/** The refused half of {@link Decoded}. */
export interface Malformed {
  readonly ok: false;
  readonly offset: number;
  readonly reason: string;
}

/**
 * What a reader says of something optional: `undefined` if it is not there, else its decoded value. Offsets in a
 * refusal count from the start of that value.
 */
export type Read<T> = Decoded<T> | undefined;

/** What a builder makes of a wish: the packet, or why no packet can carry it. */
export type Encoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function malformed(offset: number, reason: string): Malformed {
  return { ok: false, offset, reason };
}
