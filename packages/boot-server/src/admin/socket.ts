import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createConnection } from 'node:net';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';

/** For the owner only: what is behind it shows every machine, and reloads the configuration. */
const SOCKET_MODE = 0o600;

/** Lets `server` listen on a unix socket. Rejects with BootServerError LISTEN_FAILED. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  try {
    await removeStaleSocket(path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    await chmod(path, SOCKET_MODE);
  } catch (cause) {
    const words = wordsOf(cause);
    throw new BootServerError(
      BootServerErrorCode.ListenFailed,
      `cannot make the admin socket ${path}: ${words}; make its folder writable for this user, or change admin.socket`,
      cause,
    );
  }
}

/** Takes away the socket of a server that was killed; never one that is served, and no other file. */
async function removeStaleSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (stats) => stats.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = createConnection({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!isServed) await unlink(path);
}
