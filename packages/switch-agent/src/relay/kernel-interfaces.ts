import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a link's frames come in: the ports of a bridge, within one of its VLANs. */
export interface BridgeSide {
  readonly index: number;
  readonly name: string;
  /** 0: the bridge filters no VLANs. */
  readonly vlan: number;
}

/** A network interface, as the kernel has it at the moment. */
export interface KernelInterface {
  readonly index: number;
  /** 6 bytes, as text: `02:00:00:00:01:01`. */
  readonly mac: string;
  readonly mtu: number;
  /** The bridge that it is, or that it is a VLAN of. */
  readonly bridge: BridgeSide | undefined;
  /** The VRF device that it is in. */
  readonly vrf: string | undefined;
}

/** Undefined when there is no such interface. `root`: of /sys and /proc, `/` but in tests. */
export function readInterface(name: string, root = '/'): KernelInterface | undefined {
  const folder = join(root, 'sys/class/net', name);
  const index = numberIn(join(folder, 'ifindex'));
  const mac = textIn(join(folder, 'address'));
  const mtu = numberIn(join(folder, 'mtu'));
  if (index === undefined || mac === undefined || mtu === undefined) return undefined;
  return { index, mac, mtu, bridge: bridgeOf(name, folder, index, root), vrf: vrfOf(folder) };
}

/** Name of the bridge port with that index. */
export function bridgePortName(bridge: string, index: number, root = '/'): string | undefined {
  return entriesOf(join(root, 'sys/class/net', bridge, 'brif')).find(
    (port) => numberIn(join(root, 'sys/class/net', port, 'ifindex')) === index,
  );
}

function bridgeOf(name: string, folder: string, index: number, root: string): BridgeSide | undefined {
  // What a filtering bridge sends to itself has no tag: that is its default VLAN.
  if (isFolder(join(folder, 'bridge')))
    return { index, name, vlan: filters(folder) ? (numberIn(join(folder, 'bridge/default_pvid')) ?? 0) : 0 };
  // As on SONiC: Vlan4000 is a VLAN device on the bridge of all ports.
  for (const entry of entriesOf(folder)) {
    if (!entry.startsWith('lower_')) continue;
    const lower = join(folder, entry);
    const lowerIndex = numberIn(join(lower, 'ifindex'));
    if (!isFolder(join(lower, 'bridge')) || lowerIndex === undefined) continue;
    return { index: lowerIndex, name: entry.slice('lower_'.length), vlan: filters(lower) ? vlanOf(name, root) : 0 };
  }
  return undefined;
}

function filters(bridge: string): boolean {
  return numberIn(join(bridge, 'bridge/vlan_filtering')) === 1;
}

/** `/proc/net/vlan/Vlan4000` begins: `Vlan4000  VID: 4000	 REORDER_HDR: 1 …`. */
function vlanOf(name: string, root: string): number {
  return Number(/\bVID: (\d+)/.exec(textIn(join(root, 'proc/net/vlan', name)) ?? '')?.[1] ?? 0);
}

function vrfOf(folder: string): string | undefined {
  const uevent = textIn(join(folder, 'master/uevent')) ?? '';
  return /^DEVTYPE=vrf$/m.test(uevent) ? /^INTERFACE=(.+)$/m.exec(uevent)?.[1] : undefined;
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}

function numberIn(path: string): number | undefined {
  const text = textIn(path);
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
