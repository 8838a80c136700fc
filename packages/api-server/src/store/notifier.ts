import type { Listener } from './database.ts';

/** Subscribers of one process. */
export interface Notifier {
  subscribe(channel: string, listener: Listener): Disposable;
  deliver(channel: string, payload: string): void;
  /** Notifications may have been lost: tells everybody to look for themselves. */
  missed(): void;
}

export function createNotifier(): Notifier {
  const channels = new Map<string, Set<Listener>>();
  const call = (listeners: Iterable<Listener>, payload: string | undefined): void => {
    // Later, each by itself: whoever is told must not fail or delay the write that it is told of.
    for (const listener of listeners) queueMicrotask(() => listener(payload));
  };
  return {
    subscribe(channel, listener) {
      // A function of its own, so that one listener can subscribe twice.
      const own: Listener = (payload) => listener(payload);
      const listeners = channels.get(channel) ?? new Set();
      channels.set(channel, listeners.add(own));
      return {
        [Symbol.dispose]() {
          listeners.delete(own);
          if (listeners.size === 0 && channels.get(channel) === listeners) channels.delete(channel);
        },
      };
    },
    deliver: (channel, payload) => call(channels.get(channel) ?? [], payload),
    missed() {
      for (const listeners of channels.values()) call(listeners, undefined);
    },
  };
}
