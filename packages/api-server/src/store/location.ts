import { isAbsolute } from 'node:path';

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
    if (!URL.canParse(text)) throw new RangeError('this is no URL: write postgres://user@host:5432/database');
    return { dialect: 'postgres', url: text };
  }
  throw new RangeError('write sqlite:/path/to/file or postgres://user@host:5432/database');
}

/** The location without its password, for logs and errors. */
export function publicLocation(location: DatabaseLocation): string {
  if (location.dialect === 'sqlite') return location.path;
  const url = new URL(location.url);
  if (url.password !== '') url.password = 'redacted';
  if (url.searchParams.has('password')) url.searchParams.set('password', 'redacted');
  return url.href;
}
