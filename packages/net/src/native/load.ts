import type { Libc } from './libc.ts';

/** libc's calls, or undefined where this Node or this platform cannot have them; ask once, at the start. */
export async function loadLibc(): Promise<Libc | undefined> {
  try {
    const { openLibc } = await import('./libc.ts');
    return openLibc();
  } catch {
    // No node:ffi, or no libc with all of the calls.
    return undefined;
  }
}
