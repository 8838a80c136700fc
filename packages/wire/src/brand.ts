declare const brandName: unique symbol;

/** A string that only one parser makes; the name keeps a {@link Branded} MAC from passing for a UUID. */
export type Branded<Name extends string> = string & { readonly [brandName]: Name };

/** The package's only cast. Call it where `text` has just been checked or formatted from bytes. */
export function brand<Name extends string>(text: string): Branded<Name> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a brand is for
  return text as Branded<Name>;
}
