import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CliError, CliErrorCode } from '../errors.ts';

export interface PlaceFlags {
  readonly interface?: string;
  readonly listen?: string;
  readonly subnet?: string;
}

/** Where a one-liner serves. */
export interface Place {
  readonly interface: string | undefined;
  readonly address: string;
  readonly subnet: string;
}

interface Own {
  readonly name: string;
  readonly address: string;
  readonly cidr: string;
}

/** From `--interface` or `--listen`; without either, the only interface that there is. Throws CliError. */
export function findPlace(flags: PlaceFlags, all: readonly Own[] = ownAddresses()): Place {
  const fitting = all.filter(
    ({ name, address }) =>
      (flags.interface === undefined || name === flags.interface) &&
      (flags.listen === undefined || address === flags.listen),
  );
  const [one, ...others] = fitting;
  const known = all.map(({ name, address }) => `${name} (${address})`).join(', ');
  if (one === undefined) throw refusal(whyNone(flags, all, known));
  if (others.length > 0 && flags.interface === undefined)
    throw refusal(`say where to serve, with --interface: there is ${known}`);
  return { interface: one.name, address: one.address, subnet: flags.subnet ?? networkOf(one.cidr) };
}

function whyNone(flags: PlaceFlags, all: readonly Own[], known: string): string {
  const { interface: name, listen } = flags;
  const there = `there is ${known === '' ? 'no address at all' : known}`;
  if (name !== undefined && !all.some((own) => own.name === name)) {
    if (!existsSync(`/sys/class/net/${name}`)) return `there is no interface ${name}; ${there}`;
    if (lacksLink(name))
      return `${name} has no link: it is down, or nothing is switched on at the other end of its cable; a machine that is plugged in directly has to be on`;
    return `${name} has no IPv4 address that machines can reach; ${there}: give it one with ip addr add, or name another`;
  }
  if (listen !== undefined)
    return `${name ?? 'no interface'} ${name === undefined ? 'has' : 'does not have'} ${listen}; ${there}`;
  return 'this host has no IPv4 address to serve from: give an interface one with ip addr add';
}

/** Node shows an interface only while it is IFF_RUNNING: these two states of RFC 2863. */
function lacksLink(name: string): boolean {
  try {
    return !['up', 'unknown'].includes(readFileSync(`/sys/class/net/${name}/operstate`, 'latin1').trim());
  } catch {
    return false; // there is none of that name
  }
}

function ownAddresses(): Own[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ family, internal, address, cidr }) =>
      family === 'IPv4' && !internal && cidr !== null ? [{ name, address, cidr }] : [],
    ),
  );
}

/** Whether the clients of the own link are among those that are served; else relays alone reach them. */
export function servesOwnLink({ address, subnet }: Place): boolean {
  return networkOf(`${address}/${subnet.split('/')[1] ?? ''}`) === subnet;
}

/** `10.0.0.5/24` → `10.0.0.0/24`. */
function networkOf(cidr: string): string {
  const [address = '', prefix = '32'] = cidr.split('/');
  const bits = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(prefix));
  const network = Math.floor(bits / size) * size;
  const text = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.');
  return `${text}/${prefix}`;
}

function refusal(message: string): CliError {
  return new CliError(CliErrorCode.Argument, message);
}
