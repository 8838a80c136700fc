/** An answer, or why there is none. */
export type Told<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };
