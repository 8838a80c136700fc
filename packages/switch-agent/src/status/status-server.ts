import { chmod, mkdir, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { SwitchStatus } from './status.ts';

export interface StatusServer {
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = 8;
const IDLE_MS = 5000;

/**
 * Answers whoever connects to the socket with one JSON text, and hangs up; what they send is not read. The socket is for
 * the owner and the group. A daemon goes on without it: `warn` is told when it cannot be had.
 */
export async function serveStatus(
  path: string,
  status: () => SwitchStatus,
  warn: (reason: string) => void,
): Promise<StatusServer> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.end(`${JSON.stringify(status())}\n`);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    if (await isServed(path)) throw new Error('another agent serves it');
    await unlink(path).catch(() => {});
    await listen(server, path);
    await chmod(path, 0o660);
  } catch (error) {
    warn(`"ingot-switch status" gets no answer, as ${path} cannot be served: ${reasonOf(error)}; correct statusSocket`);
  }
  server.on('error', (error) => warn(error.message));
  return {
    // Node takes the socket away itself.
    stop: () => new Promise((resolve) => (server.listening ? server.close(() => resolve()) : resolve())),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
