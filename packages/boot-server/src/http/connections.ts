import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@ingot/net';
import type { BootMetrics } from '../metrics.ts';
import type { HttpLimits } from './limits.ts';

/** The connections of all listeners together. */
export interface Connections {
  /** Counts a new one, with TLS before its handshake; ends it, and says false, when its client has too many. */
  admit(socket: Socket): boolean;
  /** One that requests may come over from now on. */
  opened(socket: Socket): void;
  /** Notes an answer that is on its way. */
  answering(response: ServerResponse): void;
  /** How far the answer is that its client waits for. */
  nextAnswer(socket: Socket): 'none' | 'to-come' | 'begun';
  /** Ends connections as their answers end, those without one at once, and all of them after `drainMs`. */
  drain(): Promise<void>;
}

export function trackConnections(clock: Clock, metrics: BootMetrics, limits: HttpLimits): Connections {
  /** The answers of each that have not ended. */
  const open = new Map<Socket, Set<ServerResponse>>();
  const perClient = new Map<string, number>();
  let total = 0;
  let isDraining = false;
  let onEmpty = (): void => undefined;
  const leave = (client: string): void => {
    total -= 1;
    const left = (perClient.get(client) ?? 1) - 1;
    if (left <= 0) perClient.delete(client);
    else perClient.set(client, left);
  };
  return {
    admit: (socket) => {
      const client = socket.remoteAddress ?? '';
      const count = (perClient.get(client) ?? 0) + 1;
      perClient.set(client, count);
      total += 1;
      socket.once('close', () => leave(client));
      if (count <= limits.connectionsPerClient && total <= limits.connections && !isDraining) return true;
      metrics.drop('http', 'too-many-connections');
      socket.destroy();
      return false;
    },
    opened: (socket) => {
      open.set(socket, new Set());
      socket.once('close', () => {
        open.delete(socket);
        if (open.size === 0) onEmpty();
      });
      if (isDraining) socket.destroy();
    },
    answering: (response) => {
      const { socket } = response.req;
      const answers = open.get(socket);
      answers?.add(response);
      response.once('close', () => {
        answers?.delete(response);
        // What was written still goes out; the client learns that it was the last.
        if (isDraining && answers?.size === 0 && !socket.destroyed) socket.destroySoon();
      });
    },
    nextAnswer: (socket) => {
      const [next] = open.get(socket) ?? [];
      if (next === undefined) return 'none';
      return next.headersSent ? 'begun' : 'to-come';
    },
    drain: async () => {
      isDraining = true;
      for (const [socket, answers] of open) if (answers.size === 0) socket.destroy();
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
