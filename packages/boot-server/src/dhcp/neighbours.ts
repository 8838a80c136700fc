import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { DHCP_SERVER_PORT, IPV4_ANY } from '@ingot/wire';
import { portHolders } from '@ingot/net';

/** Another program with a socket on port 67. */
export interface Neighbour {
  /** Undefined where we may not look into other processes. */
  readonly program: string | undefined;
  readonly pid: number | undefined;
  /** `0.0.0.0` for all addresses. */
  readonly address: string;
  /** Name of the interface that it is bound to. */
  readonly interfaceName: string | undefined;
  /** It reads packets below the sockets (AF_PACKET), as far as we know: a second socket takes nothing from it. */
  readonly readsBelow: boolean;
}

/**
 * Which other programs of this host, in this network namespace, have port 67. Linux only; empty elsewhere. Programs of
 * other users have a name for root only.
 */
export function findNeighbours(): Neighbour[] {
  try {
    const holders = portHolders(DHCP_SERVER_PORT);
    if (holders.length === 0) return [];
    const packetSockets = new Set(
      readFileSync('/proc/net/packet', 'latin1')
        .split('\n')
        .map((line) => Number(line.trim().split(/\s+/)[8])),
    );
    const owners = socketOwners(new Set([...holders.map(({ inode }) => inode), ...packetSockets]));
    const below = new Set([...packetSockets].map((inode) => owners.get(inode)?.pid));
    return holders.flatMap(({ address, inode, interfaceIndex }): Neighbour[] => {
      const owner = owners.get(inode);
      if (owner?.pid === process.pid) return [];
      const interfaceName = interfaceIndex === undefined ? undefined : nameOfInterface(interfaceIndex);
      if (owner !== undefined) return [{ ...owner, address, interfaceName, readsBelow: below.has(owner.pid) }];
      // Names can be read where descriptors cannot. Of the common servers dnsmasq alone would lose its packets.
      const program = isRunning('dnsmasq') ? 'dnsmasq' : undefined;
      return [{ program, pid: undefined, address, interfaceName, readsBelow: program === undefined }];
    });
  } catch {
    return [];
  }
}

/**
 * Those from whom a socket of ours would take packets without either side noticing: with
 * SO_REUSEADDR the kernel gives a unicast packet to the socket bound to its very address, ours, and to no other.
 */
export function robbedBy(
  own: { readonly addresses: readonly string[]; readonly interfaces: readonly string[] },
  neighbours: readonly Neighbour[],
): Neighbour[] {
  const attached = networkInterfaces();
  const taken = own.interfaces.flatMap((name) => attached[name] ?? []).map(({ address }) => address);
  const addresses = [...own.addresses, ...taken];
  return neighbours.filter(({ address, interfaceName, readsBelow }) => {
    if (readsBelow) return false;
    if (address !== IPV4_ANY && !addresses.includes(address)) return false;
    if (interfaceName === undefined) return true;
    return (attached[interfaceName] ?? []).some((each) => addresses.includes(each.address));
  });
}

/** For a log line or an error message. */
export function nameNeighbour({ program, pid, address, interfaceName }: Neighbour): string {
  const who = `${program ?? 'another program'}${pid === undefined ? '' : ` (pid ${pid})`}`;
  return `${who} on ${address}:${DHCP_SERVER_PORT}${interfaceName === undefined ? '' : ` of ${interfaceName}`}`;
}

function isRunning(program: string): boolean {
  return readdirSync('/proc').some((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/comm`, 'utf8').trim() === program;
    } catch {
      // Gone meanwhile.
      return false;
    }
  });
}

function nameOfInterface(index: number): string | undefined {
  if (index === 0) return undefined;
  return readdirSync('/sys/class/net').find((name) => {
    try {
      return Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1')) === index;
    } catch {
      // An interface that has just gone, or `bonding_masters`, which is none.
      return false;
    }
  });
}

function socketOwners(inodes: ReadonlySet<number>): Map<number, { pid: number; program: string }> {
  const found = new Map<number, { pid: number; program: string }>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      for (const fd of readdirSync(`/proc/${entry}/fd`)) {
        const inode = Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${entry}/fd/${fd}`))?.[1]);
        if (!inodes.has(inode) || found.has(inode)) continue;
        found.set(inode, { pid, program: readFileSync(`/proc/${entry}/comm`, 'utf8').trim() });
      }
    } catch {
      // Gone meanwhile, or another user's: its sockets stay without an owner.
    }
  }
  return found;
}
