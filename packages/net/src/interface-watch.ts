import { readFileSync } from 'node:fs';
import type { Clock, Timer } from './clock.ts';

/**
 * Tells when an interface is made anew under its old name, as a bond, a VLAN or a whole network configuration is: what
 * was bound to the one before hears nothing any more, and no error says so.
 */
export interface InterfaceWatch {
  /**
   * Calls `rebind` each time the interface `name` is another one than before; when it rejects, at the next look again.
   * Call the result to end that.
   */
  follow(name: string, rebind: () => Promise<void>): () => void;
}

export interface InterfaceWatchComponents {
  readonly clock: Clock;
  /** The kernel's number of an interface; undefined when it is not there. Default: of this host. */
  readonly indexOf?: (name: string) => number | undefined;
  /** Told when a followed interface goes, when it is there anew, and when what listens at it could not follow. */
  readonly onChange: (name: string, change: 'gone' | 'anew' | 'failed', error?: Error) => void;
}

/** A machine repeats its DISCOVER for a minute, firmware after 4 s at first. */
const LOOK_EVERY_MS = 1_000;

interface Follower {
  readonly rebind: () => Promise<void>;
  /** The interface that it is bound to; undefined: that has gone. */
  boundTo: number | undefined;
  isBinding: boolean;
  hasFailed: boolean;
}

interface Followed {
  index: number | undefined;
  readonly followers: Set<Follower>;
}

/** Looks once a second, for as long as anything is followed. */
export function interfaceWatch(components: InterfaceWatchComponents): InterfaceWatch {
  const { clock, indexOf = indexOfInterface, onChange } = components;
  const followed = new Map<string, Followed>();
  let timer: Timer | undefined;

  const bind = async (name: string, follower: Follower, index: number): Promise<void> => {
    follower.isBinding = true;
    try {
      await follower.rebind();
      follower.boundTo = index;
      follower.hasFailed = false;
    } catch (error) {
      // An address comes some time after its interface: once is enough to be told.
      if (!follower.hasFailed) onChange(name, 'failed', error instanceof Error ? error : new Error(String(error)));
      follower.hasFailed = true;
    } finally {
      follower.isBinding = false;
    }
  };
  const look = (): void => {
    for (const [name, each] of followed) {
      const index = indexOf(name);
      if (index !== each.index) onChange(name, index === undefined ? 'gone' : 'anew');
      each.index = index;
      for (const follower of each.followers) {
        // One that comes back under its old number has lost its sockets' groups, too.
        if (index === undefined) follower.boundTo = undefined;
        else if (follower.boundTo !== index && !follower.isBinding) void bind(name, follower, index);
      }
    }
  };
  return {
    follow: (name, rebind) => {
      const each = followed.get(name) ?? { index: indexOf(name), followers: new Set() };
      followed.set(name, each);
      const follower: Follower = { rebind, boundTo: each.index, isBinding: false, hasFailed: false };
      each.followers.add(follower);
      timer ??= clock.setInterval(look, LOOK_EVERY_MS);
      return () => {
        each.followers.delete(follower);
        if (each.followers.size === 0) followed.delete(name);
        if (followed.size > 0) return;
        timer?.cancel();
        timer = undefined;
      };
    },
  };
}

/** The kernel's number of an interface of this host; undefined when it is not there. */
export function indexOfInterface(name: string): number | undefined {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1'));
  } catch {
    return undefined;
  }
}
