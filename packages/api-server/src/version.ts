/** Version of this package; a test compares it with package.json, which bundles do not carry. */
export const version: string = '0.1.0';
