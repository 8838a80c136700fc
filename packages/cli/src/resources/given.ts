/** The field, if there is a value for it: an optional field of a message is set or left out, never undefined. */
export function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  // oxlint-disable-next-line no-unsafe-type-assertion -- TypeScript widens a computed key to any text
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
