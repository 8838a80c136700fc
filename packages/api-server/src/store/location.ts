import { isAbsolute, join } from 'node:path';
import { parsePostgresUrl } from './postgres/address.ts';

/** Where the data is: the words of the setting `database`. */
export type DatabaseLocation =
  | { readonly dialect: 'sqlite'; readonly path: string }
  | { readonly dialect: 'postgres'; readonly url: string; readonly password?: string };

/** Where a server keeps its data that was told nothing else. */
export function defaultLocation(dataDir: string): DatabaseLocation {
  return { dialect: 'sqlite', path: join(dataDir, 'api.sqlite') };
}

/**
 * Reads `sqlite:/path` or `postgres://…`. Throws a `RangeError` that says what is wrong and does not repeat the text: it
 * may hold a password, which is refused, because others can read command lines and environments.
 */
export function parseDatabaseLocation(text: string): DatabaseLocation {
  if (text.startsWith('sqlite:')) {
    const path = text.slice('sqlite:'.length);
    if (!isAbsolute(path)) {
      throw new RangeError('write sqlite: and an absolute path, as sqlite:/var/lib/ingot-api-server/api.sqlite');
    }
    return { dialect: 'sqlite', path };
  }
  if (/^postgres(?:ql)?:\/\//.test(text)) {
    parsePostgresUrl(text);
    return { dialect: 'postgres', url: text };
  }
  throw new RangeError('write sqlite:/path/to/file or postgres://user@host:5432/database');
}
