/**
 * @param entry the agent's main.ts
 * @returns minified CommonJS source: the code cache of V8 works on classic scripts
 */
export declare function bundle(entry: string): Promise<Buffer>;
