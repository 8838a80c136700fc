/** The discovery agent as one file. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

interface Bundler {
  build(options: object): Promise<{ output: { code?: string }[] }>;
}

/**
 * @param entry the agent's main.ts
 * @returns minified CommonJS source: the code cache of V8 works on classic scripts
 */
export async function bundle(entry: string): Promise<Buffer> {
  const { build } = await loadBundler();
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

/** rolldown, at the version that the test runner's vite pins: one bundler in the tree, not two. */
async function loadBundler(): Promise<Bundler> {
  const fromVitest = createRequire(createRequire(import.meta.url).resolve('vitest/package.json'));
  const fromVite = createRequire(fromVitest.resolve('vite/package.json'));
  return (await import(pathToFileURL(fromVite.resolve('rolldown')).href)) as Bundler;
}
