import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Contents by absolute path of the machine; `{ link }` makes a symbolic link, relative to the file's directory. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

/** A directory that looks like a machine's root. */
export function plant(tree: Tree): Disposable & { readonly root: string } {
  const root = mkdtempSync(join(place(), 'ingot-root-'));
  const made = new Set<string>();
  for (const [path, content] of Object.entries(tree)) {
    const at = join(root, path);
    const directory = dirname(at);
    if (!made.has(directory)) mkdirSync(directory, { recursive: true });
    made.add(directory);
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(at, content);
    else symlinkSync(content.link, at);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

/** A large machine has thousands of files: better in memory, where there is a place for that. */
function place(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
