import { REDACTED } from './config-print.ts';

// Shorter texts occur by chance in other words, and are no secrets worth the name.
const SHORTEST_SECRET = 6;
const SECRET_KEY = /(?:^|[a-z_.-])(?:token|password|passwd|passphrase|secret|authorization|cookie|private_?key)$/i;
const SECRET_SHAPES = [
  // A JSON web token: base64url of `{"`, and two more parts.
  /\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]{4,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

/** Keeps secrets out of what is written: by value, by the key they stand under, and by their shape. */
export class Redactor {
  #values: readonly string[] = [];

  constructor(values: readonly string[] = []) {
    for (const value of values) this.add(value);
  }

  /** From now on `value` is redacted wherever it occurs. */
  add(value: string): void {
    if (value.length < SHORTEST_SECRET || this.#values.includes(value)) return;
    // As it stands, and as it looks within JSON; longest first, so that no rest of a longer one is left over.
    const forms = new Set([...this.#values, value, JSON.stringify(value).slice(1, -1)]);
    this.#values = [...forms].sort((left, right) => right.length - left.length);
  }

  /** True when what stands under `key` is a secret whatever it is: `token`, `adminPassword`; but not `tokenFile`. */
  isSecretKey(key: string): boolean {
    return SECRET_KEY.test(key);
  }

  text(text: string): string {
    let redacted = text;
    for (const value of this.#values) redacted = redacted.replaceAll(value, REDACTED);
    for (const shape of SECRET_SHAPES) redacted = redacted.replaceAll(shape, REDACTED);
    return redacted;
  }
}
