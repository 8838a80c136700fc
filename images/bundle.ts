/** The discovery agent as one file. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'rolldown';

export interface Bundle {
  /** Minified CommonJS source: the code cache of V8 works on classic scripts. */
  readonly code: Buffer;
  readonly packages: readonly BundledPackage[];
}

/** An npm package that has code in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says; an SPDX expression in all but careless packages. */
  readonly license: string | undefined;
}

/** @param entry the agent's main.ts */
export async function bundle(entry: string): Promise<Bundle> {
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
  const [output] = result.output;
  if (output === undefined || result.output.length !== 1) throw new Error(`${entry} did not bundle into one file`);
  const used = Object.entries(output.modules).flatMap(([path, { code }]) => (code ? [path] : []));
  return { code: Buffer.from(output.code), packages: packagesOf(used) };
}

/** The packages that the files belong to, each version once; the workspace's own are not told apart from each other. */
function packagesOf(paths: readonly string[]): BundledPackage[] {
  const found = new Map<string, BundledPackage>();
  for (const path of paths) {
    const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.replace(/\?.*$/, ''))?.[0];
    if (root === undefined) continue;
    const { name, version, license } = readManifest(root);
    found.set(`${name}@${version}`, { name, version, license });
  }
  return [...found.values()].sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function readManifest(root: string): BundledPackage {
  const path = join(root, 'package.json');
  const { name, version, license }: Partial<BundledPackage> = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof name !== 'string' || typeof version !== 'string')
    throw new Error(`${path}: expected the name and the version of a package below ${dirname(root)}`);
  return { name, version, license: typeof license === 'string' ? license : undefined };
}
