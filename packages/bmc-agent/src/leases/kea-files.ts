import { open, stat, type FileHandle } from 'node:fs/promises';

/** Open files of one lease database, the oldest first. */
export interface OpenFiles extends AsyncDisposable {
  readonly files: readonly FileHandle[];
}

const MAX_TRIES = 5;

/**
 * Opens what Kea itself would read at its start: `.completed`, what a clean-up has just made of the other two, or else
 * `.2`, its last result, and `.1`, what it works on; then the file that is written to. A clean-up renames them at any time:
 * opened again when that happened meanwhile, since in between leases would be in none of them.
 */
export async function openKeaFiles(path: string): Promise<OpenFiles> {
  for (let tried = 1; ; tried += 1) {
    const before = await inodes(path);
    const stack = new AsyncDisposableStack();
    try {
      const completed = await openIfThere(`${path}.completed`, stack);
      const old =
        completed === undefined
          ? [await openIfThere(`${path}.2`, stack), await openIfThere(`${path}.1`, stack)]
          : [completed];
      const files = [...old, await openIfThere(path, stack)].filter((file) => file !== undefined);
      const isSteady = before === (await inodes(path));
      if (isSteady || tried === MAX_TRIES) {
        if (files.length === 0) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
        const own = stack.move();
        return { files, [Symbol.asyncDispose]: () => own.disposeAsync() };
      }
    } finally {
      await stack.disposeAsync();
    }
  }
}

async function openIfThere(path: string, stack: AsyncDisposableStack): Promise<FileHandle | undefined> {
  try {
    return stack.use(await open(path, 'r'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Which files are there now. */
async function inodes(path: string): Promise<string> {
  const names = [path, `${path}.1`, `${path}.2`, `${path}.completed`];
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return (await stat(name)).ino;
      } catch (error) {
        if (isMissing(error)) return 0;
        throw error;
      }
    }),
  );
  return found.join(' ');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
