import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a name that a client asks for stands for. */
export interface PublishedFile {
  /** `file:` URI; the artifact store checks where it really leads. */
  readonly uri: string;
  /** Whether it is a program that firmware starts. */
  readonly isLoader: boolean;
  /** That it must have; undefined: any. */
  readonly sha256: string | undefined;
}

/** The files that TFTP and `/boot/` know. */
export interface PublishedFiles {
  find(name: string): PublishedFile | undefined;
}

/**
 * The iPXE binaries by their file name, everything under `root`, if there is one, and boot loaders by the names under
 * which they ask for each other. Names are the client's: what leaves `root` in the text is refused here, what leaves it
 * through a symbolic link by the artifact store.
 */
export function publishedFiles(options: {
  directory: string;
  binaries: readonly string[];
  root: string | undefined;
  /** Name → absolute path. */
  loaders: Readonly<Record<string, string>>;
  /** Name → SHA-256 of boot loaders, 64 hex digits. */
  sha256?: Readonly<Record<string, string>> | undefined;
}): PublishedFiles {
  const { directory, binaries, root, loaders, sha256 = {} } = options;
  const digests = new Map(Object.entries(sha256));
  const byName = new Map(binaries.map((file) => [file, resolve(directory, file)]));
  const byLoader = new Map(Object.entries(loaders));
  return {
    find: (name) => {
      const digest = digests.get(name);
      const loader = (path: string): PublishedFile => ({
        uri: pathToFileURL(path).href,
        isLoader: true,
        sha256: digest,
      });
      const binary = byName.get(name);
      const known = byLoader.get(name);
      // What is given to a kind of machine may be one of the boot loaders, which lie elsewhere.
      const isElsewhere = known !== undefined && isFile(known);
      if (binary !== undefined && (!isElsewhere || isFile(binary))) return loader(binary);
      if (!isPlainRelative(name)) return undefined;
      if (root !== undefined && isFile(resolve(root, name)))
        return { uri: pathToFileURL(resolve(root, name)).href, isLoader: false, sha256: digest };
      if (isElsewhere) return loader(known);
      // A profile may name any of the binaries that lie beside those of the configuration.
      const beside = resolve(directory, name);
      return !name.includes('/') && isFile(beside) ? loader(beside) : undefined;
    },
  };
}

/** Whether there is such a file now: boot loaders ask for many that are not, and wait for each answer. */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (error) {
    // A name that is too long, a file in place of a folder, a loop of links: there is none. In a folder that is closed to
    // this user there may be one: the artifact store says what is wrong.
    return error instanceof Error && 'code' in error && error.code === 'EACCES';
  }
}

function isPlainRelative(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (name === '' || /[\u0000-\u001f\u007f]/.test(name)) return false;
  return name.split(/[/\\]/).every((part) => part !== '' && part !== '.' && part !== '..');
}
