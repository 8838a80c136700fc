import type { Logger } from '@ingot/daemon';
import type { PublishedFiles } from '../published-files.ts';

/** Loads every iPXE binary once: what is missing is better said now than to the first machine. */
export async function warnOfMissingBinaries(components: {
  bootLoaders: PublishedFiles;
  binaries: readonly string[];
  log: Logger;
  get: (uri: string) => Promise<Disposable>;
}): Promise<void> {
  for (const file of components.binaries) {
    const found = components.bootLoaders.find(file);
    if (found === undefined) continue;
    try {
      const loaded = await components.get(found.uri);
      loaded[Symbol.dispose]();
    } catch (error) {
      components.log.error(
        { event: 'ipxe.missing', file, err: error },
        `machines that need ${file} will not boot: install Debian's ipxe, or see ipxe.directory and ipxe.loaders`,
      );
    }
  }
}
