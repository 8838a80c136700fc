import type { Clock, KernelLinks } from '@ingot/net';
import { bridgePortName, type BridgeSide } from './kernel-interfaces.ts';

/** A machine that was plugged in elsewhere has another port by then; a flood asks the kernel no more than that. */
const REMEMBERED_MS = 1_000;
const MAX_REMEMBERED = 8_192;

/** Tells by which port of a bridge a frame came in. */
export interface PortFinder {
  /** Undefined where the bridge has not learned it. `mac`: of the frame's sender, 6 bytes. */
  portOf(bridge: BridgeSide, mac: Uint8Array): string | undefined;
}

/**
 * By the bridge's forwarding table, in which the frame itself has just put its sender: what a client writes into its
 * request does not count.
 */
export function createPortFinder(components: {
  readonly kernel: Pick<KernelLinks, 'bridgePort'>;
  readonly clock: Clock;
  readonly nameOf?: (bridge: string, index: number) => string | undefined;
}): PortFinder {
  const { kernel, clock, nameOf = bridgePortName } = components;
  let remembered = new Map<string, string | undefined>();
  let names = new Map<string, string | undefined>();
  let sinceMs = clock.monotonic();
  return {
    portOf: (bridge, mac) => {
      const now = clock.monotonic();
      if (now - sinceMs >= REMEMBERED_MS || remembered.size >= MAX_REMEMBERED) {
        remembered = new Map();
        names = new Map();
        sinceMs = now;
      }
      const key = `${bridge.index}/${bridge.vlan}/${numberOfMac(mac)}`;
      if (remembered.has(key)) return remembered.get(key);
      const index = kernel.bridgePort(bridge.index, mac, bridge.vlan);
      const nameKey = `${bridge.index}/${index}`;
      if (index !== undefined && !names.has(nameKey)) names.set(nameKey, nameOf(bridge.name, index));
      const port = index === undefined ? undefined : names.get(nameKey);
      remembered.set(key, port);
      return port;
    },
  };
}

function numberOfMac(mac: Uint8Array): number {
  let number = 0;
  for (let index = 0; index < 6; index += 1) number = number * 256 + (mac[index] ?? 0);
  return number;
}
