import { BlockList, isIP } from 'node:net';
import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import type { Lease } from './lease.ts';
import { readLeases, type LeaseFile } from './read-leases.ts';

/** Where BMCs are, by what DHCP servers have given out. */
export interface LeaseBook {
  /** The leases that last now, one to a MAC address: the one that lasts longest. Read anew when they are some seconds old. */
  now(): Promise<ReadonlyMap<string, Lease>>;
  /** The address (`host:port`) of a BMC, at the host that its MAC address has a lease for; without one it stays. */
  follow(bmc: { readonly address: string; readonly mac: string }): Promise<string>;
  /** Whether an address (`host:port`) is in the networks of the BMCs; a name is not. */
  covers(address: string): boolean;
}

export interface LeaseBookOptions {
  readonly files: readonly LeaseFile[];
  /** Prefixes; leases outside are not looked at. Empty: all are. */
  readonly networks: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

const FRESH_MS = 15_000;

/** A file that cannot be read leaves what it said before, for as long as that lasts. */
export function createLeaseBook({ files, networks, clock, log, signal }: LeaseBookOptions): LeaseBook {
  const isOurs = inside(networks);
  const sources = files.map((file) => ({ file, leases: [] as readonly Lease[], said: '' }));
  let readMs: number | undefined;
  let reading: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    for (const source of sources) {
      let words = '';
      try {
        const { leases, left } = await readLeases(source.file, signal);
        source.leases = leases.filter(({ address }) => isOurs(address));
        if (left !== undefined) words = `${source.file.file} is too big: ${left} are not looked at`;
      } catch (error) {
        signal.throwIfAborted();
        words = reasonOf(error);
      }
      if (words !== '' && words !== source.said) log.warn({ reason: words }, 'leases are not read');
      if (words === '' && source.said !== '') log.info({ file: source.file.file }, 'leases are read again');
      source.said = words;
    }
    readMs = clock.monotonic();
  };
  const now = async (): Promise<ReadonlyMap<string, Lease>> => {
    if (readMs === undefined || clock.monotonic() - readMs > FRESH_MS) {
      reading ??= refresh().finally(() => {
        reading = undefined;
      });
      await reading;
    }
    const nowMs = clock.now();
    const byMac = new Map<string, Lease>();
    for (const lease of sources.flatMap(({ leases }) => leases)) {
      if (lease.expiresMs <= nowMs) continue;
      const before = byMac.get(lease.mac);
      if (before === undefined || lease.expiresMs >= before.expiresMs) byMac.set(lease.mac, lease);
    }
    return byMac;
  };
  return {
    now,
    covers(address) {
      const host = address.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
      return isIP(host) !== 0 && isOurs(host);
    },
    async follow({ address, mac }) {
      const lease = mac === '' ? undefined : (await now()).get(mac.toLowerCase());
      const port = /:(\d{1,5})$/.exec(address)?.[1];
      return lease === undefined || port === undefined ? address : addressOf(lease, port);
    },
  };
}

/** `host:port` of a lease. */
export function addressOf({ address }: Lease, port: number | string): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

function inside(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true;
  const list = new BlockList();
  for (const network of networks) {
    const [prefix = '', length] = network.split('/');
    list.addSubnet(prefix, Number(length), isIP(prefix) === 6 ? 'ipv6' : 'ipv4');
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
