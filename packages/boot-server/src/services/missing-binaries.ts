import type { Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { PublishedFiles } from '../published/published-files.ts';

/** Loads every boot loader once: what is missing, or another than it should be, is better said now than to the first machine. */
export async function warnOfMissingBinaries(components: {
  bootLoaders: PublishedFiles;
  binaries: readonly string[];
  log: Logger;
  get: (uri: string, expected: { readonly sha256: string | undefined }) => Promise<Disposable>;
}): Promise<void> {
  for (const file of components.binaries) {
    const found = components.bootLoaders.find(file);
    if (found === undefined) continue;
    try {
      const loaded = await components.get(found.uri, found);
      loaded[Symbol.dispose]();
    } catch (error) {
      components.log.error(
        { event: 'ipxe.missing', file, err: error },
        `machines that need ${file} will not boot: ${adviceFor(error)}`,
      );
    }
  }
}

function adviceFor(error: unknown): string {
  if (error instanceof BootServerError && error.code === BootServerErrorCode.ArtifactMismatch)
    return `${error.message} in ipxe.sha256`;
  return "install Debian's ipxe, or see ipxe.directory and ipxe.loaders";
}
