import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a name that a client asks for stands for. */
export interface PublishedFile {
  /** `file:` URI; the artifact store checks where it really leads. */
  readonly uri: string;
}

/** The only names that TFTP and `/boot/` know. */
export interface PublishedFiles {
  find(name: string): PublishedFile | undefined;
}

/**
 * The iPXE binaries by their file name, and everything under `root`, if there is one. Names are the client's: what
 * leaves `root` in the text is refused here, what leaves it through a symbolic link by the artifact store.
 */
export function publishedFiles(options: {
  directory: string;
  binaries: readonly string[];
  root: string | undefined;
}): PublishedFiles {
  const { directory, binaries, root } = options;
  const byName = new Map(binaries.map((file) => [file, pathToFileURL(resolve(directory, file)).href]));
  return {
    find: (name) => {
      const uri = byName.get(name);
      if (uri !== undefined) return { uri };
      if (root === undefined || !isPlainRelative(name)) return undefined;
      return { uri: pathToFileURL(resolve(root, name)).href };
    },
  };
}

function isPlainRelative(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (name === '' || /[\u0000-\u001f\u007f]/.test(name)) return false;
  return name.split(/[/\\]/).every((part) => part !== '' && part !== '.' && part !== '..');
}
