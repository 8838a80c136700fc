import { chmod, chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The configuration file of FRR, and the two that are kept beside it. */
export interface ConfFiles {
  /** The current file, as vtysh sees it. */
  readonly pathOfVtysh: string;
  /** What FRR reads when it starts. Undefined when it is not there. */
  current(): Promise<string | undefined>;
  /** The last file that FRR was seen to run, line by line. Undefined when there is none. */
  good(): Promise<string | undefined>;
  /** Writes a file to be checked, and gives its path as vtysh sees it. */
  writeCandidate(text: string): Promise<string>;
  dropCandidate(): Promise<void>;
  /** Puts `text` in the place of the current file: whoever reads it finds the old one or the new one, whole. */
  install(text: string): Promise<void>;
  /** Remembers `text` as the last good file. */
  keepGood(text: string): Promise<void>;
}

// Nobody but FRR and root: an include file may hold BGP passwords.
const MODE = 0o640;

/**
 * @param path the file on this host, `/etc/sonic/frr/frr.conf` on SONiC.
 * @param folderOfVtysh the folder of it where vtysh runs, `/etc/frr` in SONiC's container.
 */
export function confFiles(path: string, folderOfVtysh: string): ConfFiles {
  const folder = dirname(path);
  const beside = (suffix: string): string => join(folder, `${basename(path)}.ingot-${suffix}`);
  const [candidate, good] = [beside('new'), beside('good')];

  /** Owner, group and mode are those of the current file; of a first one, those of its folder's owner. */
  const write = async (file: string, text: string): Promise<void> => {
    const before = await unlessMissing(stat(path));
    const { uid, gid } = before ?? (await stat(folder));
    await rm(file, { force: true });
    await using handle = await open(file, 'wx', MODE);
    await handle.writeFile(text);
    const made = await handle.stat();
    if (made.uid !== uid || made.gid !== gid) await chown(file, uid, gid);
    // After the owner, for a change of owner takes bits away.
    await chmod(file, before === undefined ? MODE : before.mode & 0o777);
    await handle.sync();
  };
  const replace = async (file: string, text: string): Promise<void> => {
    await write(candidate, text);
    await rename(candidate, file);
    await using handle = await open(folder, 'r');
    // The name as well has to survive a loss of power.
    await handle.sync();
  };

  return {
    pathOfVtysh: join(folderOfVtysh, basename(path)),
    current: async () => unlessMissing(readFile(path, 'utf8')),
    good: async () => unlessMissing(readFile(good, 'utf8')),
    writeCandidate: async (text) => {
      await write(candidate, text);
      return join(folderOfVtysh, basename(candidate));
    },
    dropCandidate: async () => rm(candidate, { force: true }),
    install: async (text) => replace(path, text),
    keepGood: async (text) => replace(good, text),
  };
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
