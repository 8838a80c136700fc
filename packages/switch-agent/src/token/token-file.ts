import { constants } from 'node:fs';
import { access, readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeWhole } from '../write-whole.ts';

/** The file that holds the agent's token. Everything rejects as Node does. */
export interface TokenFile {
  readonly path: string;
  /** The token; empty while it is being replaced. */
  read(): Promise<string>;
  /** Whether it can be replaced: a folder of systemd's credentials cannot. Never rejects. */
  isWritable(): Promise<boolean>;
  /** Replaces the token, whole. */
  replace(token: string): Promise<void>;
}

export function tokenFile(path: string): TokenFile {
  return {
    path,
    read: async () => (await readFile(path, 'utf8')).trim(),
    isWritable: async () => {
      try {
        // A link stays a link: what it leads to is replaced.
        await access(dirname(await realpath(path)), constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    replace: async (token) => writeWhole(await realpath(path), `${token}\n`),
  };
}
