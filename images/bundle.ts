/** The discovery agent as one file. */
import { build } from 'rolldown';

/**
 * @param entry the agent's main.ts
 * @returns minified CommonJS source: the code cache of V8 works on classic scripts
 */
export async function bundle(entry: string): Promise<Buffer> {
  const result = await build({
    input: entry,
    platform: 'node',
    write: false,
    treeshake: true,
    // Only grpc-js' server-side debugging services need it, at their first call.
    external: ['@grpc/proto-loader'],
    logLevel: 'warn',
    output: { format: 'cjs', minify: true, codeSplitting: false, comments: false },
  });
  const code = result.output[0]?.code;
  if (code === undefined || result.output.length !== 1) throw new Error(`${entry} did not bundle into one file`);
  return Buffer.from(code);
}
