import { isAbsolute } from 'node:path';
import { parsePostgresUrl } from './postgres/address.ts';

/** Where the data is: the words of the setting `database`. */
export type DatabaseLocation =
  | { readonly dialect: 'sqlite'; readonly path: string }
  | { readonly dialect: 'postgres'; readonly url: string };

/** Reads `sqlite:/path` or `postgres://…`. Throws a `RangeError` that says what is wrong. */
export function parseDatabaseLocation(text: string): DatabaseLocation {
  if (text.startsWith('sqlite:')) {
    const path = text.slice('sqlite:'.length);
    if (!isAbsolute(path))
      throw new RangeError('write sqlite: and an absolute path, such as sqlite:/var/lib/ingot/api.sqlite');
    return { dialect: 'sqlite', path };
  }
  if (/^postgres(?:ql)?:\/\//.test(text)) {
    parsePostgresUrl(text);
    return { dialect: 'postgres', url: text };
  }
  throw new RangeError('write sqlite:/path/to/file or postgres://user@host:5432/database');
}

/** The location without its password, for logs and errors. */
export function publicLocation(location: DatabaseLocation): string {
  if (location.dialect === 'sqlite') return location.path;
  const url = URL.parse(location.url);
  if (url === null) return 'postgres://…';
  if (url.password !== '') url.password = 'redacted';
  return url.href;
}
