import { readFile, stat } from 'node:fs/promises';
import { ApiError, Code } from '../errors.ts';

/** Gives the bearer token of a call; undefined for calls without one. */
export type TokenSource = () => Promise<string | undefined>;

/** A token that never changes. */
export function fixedToken(token: string | undefined): TokenSource {
  return () => Promise.resolve(token);
}

/**
 * A token in a file that somebody else renews: read again whenever the file has changed, and kept while it is missing or
 * empty (it may be in the middle of being replaced).
 */
export function tokenFromFile(path: string): TokenSource {
  let version = '';
  let token: string | undefined;
  return async () => {
    try {
      const { mtimeMs, ino, size } = await stat(path);
      const found = `${ino}:${mtimeMs}:${size}`;
      if (found !== version) {
        const text = (await readFile(path, 'utf8')).trim();
        if (text !== '') {
          token = text;
          version = found;
        }
      }
    } catch (error) {
      if (token === undefined) {
        throw new ApiError(Code.Unauthenticated, `cannot read the token file ${path}: create it, or point to another`, {
          cause: error,
        });
      }
    }
    if (token === undefined) throw new ApiError(Code.Unauthenticated, `the token file ${path} is empty`);
    return token;
  };
}
