import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@ingot/net';
import type { BootMetrics } from '../metrics.ts';
import type { HttpLimits } from './limits.ts';

/** The connections of all listeners together. */
export interface Connections {
  /** Counts a new one; ends it when its client has too many. */
  opened(socket: Socket): void;
  /** Notes an answer that is on its way. */
  answering(response: ServerResponse): void;
  /** Ends connections as their answers end, those without one at once, and all of them after `drainMs`. */
  drain(): Promise<void>;
}

export function trackConnections(clock: Clock, metrics: BootMetrics, limits: HttpLimits): Connections {
  const open = new Map<Socket, number>();
  const perClient = new Map<string, number>();
  let isDraining = false;
  let onEmpty = (): void => undefined;
  const leave = (client: string): void => {
    const left = (perClient.get(client) ?? 1) - 1;
    if (left <= 0) perClient.delete(client);
    else perClient.set(client, left);
  };
  return {
    opened: (socket) => {
      const client = socket.remoteAddress ?? '';
      const count = (perClient.get(client) ?? 0) + 1;
      perClient.set(client, count);
      open.set(socket, 0);
      socket.once('close', () => {
        leave(client);
        open.delete(socket);
        if (open.size === 0) onEmpty();
      });
      if (count <= limits.connectionsPerClient && open.size <= limits.connections && !isDraining) return;
      metrics.drop('http', 'too-many-connections');
      socket.destroy();
    },
    answering: (response) => {
      const { socket } = response.req;
      open.set(socket, (open.get(socket) ?? 0) + 1);
      response.once('close', () => {
        const left = (open.get(socket) ?? 1) - 1;
        if (socket.destroyed) return;
        open.set(socket, left);
        // What was written still goes out; the client learns that it was the last.
        if (isDraining && left === 0) socket.destroySoon();
      });
    },
    drain: async () => {
      isDraining = true;
      for (const [socket, answers] of open) if (answers === 0) socket.destroy();
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const deadline = clock.setTimeout(() => {
          for (const socket of open.keys()) {
            metrics.drop('http', 'stopped');
            socket.destroy();
          }
        }, limits.drainMs);
        onEmpty = () => {
          deadline.cancel();
          resolve();
        };
      });
    },
  };
}
