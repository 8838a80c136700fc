import { Dhcp6Status, subnet6Contains, type Ipv6 } from '@ingot/wire';
import type { Exchange } from './exchange.ts';
import type { Lease6Client } from './lease-engine.ts';
import type { AnsweredAssociation } from './reply.ts';
import type { Dhcp6Request, RequestedAssociation } from './request.ts';
import type { Subnet6 } from './subnets.ts';

type LeaseExchange = Pick<Exchange, 'request' | 'subnet' | 'leases' | 'duid'>;

const NO_ADDRESS = { code: Dhcp6Status.NO_ADDRS_AVAIL, message: 'no address is free in this network' } as const;
const NO_PREFIX = { code: Dhcp6Status.NO_PREFIX_AVAIL, message: 'this server delegates no prefixes' } as const;
const NO_BINDING = { code: Dhcp6Status.NO_BINDING, message: 'this server knows no such lease' } as const;
const NOT_ON_LINK = { code: Dhcp6Status.NOT_ON_LINK, message: 'this address is of another network' } as const;

/** To SOLICIT and REQUEST: RFC 8415 §18.3.1, §18.3.2. */
export function assignAll(
  exchange: LeaseExchange,
  { commits, checksLink }: { readonly commits: boolean; readonly checksLink: boolean },
): AnsweredAssociation[] {
  const { request, subnet, leases } = exchange;
  const taken = new Set<Ipv6>();
  return request.associations.map((ia): AnsweredAssociation => {
    if (ia.kind === 'pd') return { ia, status: NO_PREFIX };
    const addresses = addressesOf(ia);
    // "If any of the IP addresses in any IA is not appropriate for the link": the client has moved, and asks anew.
    if (checksLink && addresses.some((address) => !subnet6Contains(subnet.network, address))) {
      return { ia, status: NOT_ON_LINK };
    }
    const address = leases[commits ? 'lease' : 'propose'](subnet, clientOf(exchange, ia), { addresses, taken });
    if (address === undefined) return { ia, status: NO_ADDRESS };
    taken.add(address);
    return { ia, address };
  });
}

/**
 * To RENEW and REBIND: RFC 8415 §18.3.4, §18.3.5. After a lost disk the client is the only one who knows its address;
 * when that is free it keeps it. Who may not keep its address, for the pool was moved or a reservation came, gets the one
 * in its place in the same answer and is told to drop the old one, which the next client may get. Of an IA that is
 * another server's nothing is said to a REBIND.
 */
export function extendAll(exchange: LeaseExchange, isRebind: boolean): AnsweredAssociation[] {
  const { request, subnet, leases } = exchange;
  const taken = new Set<Ipv6>();
  return request.associations.flatMap((ia): AnsweredAssociation[] => {
    if (ia.kind === 'pd') return isRebind ? [] : [{ ia, status: NO_BINDING }];
    const client = clientOf(exchange, ia);
    const addresses = addressesOf(ia);
    const bound = leases.bindingOf(subnet, client)?.address;
    const proposed = leases.propose(subnet, client, { addresses, taken, isRenewal: true });
    const isItsOwn = proposed !== undefined && (bound !== undefined || addresses.includes(proposed));
    if (!isItsOwn) {
      // Of a lease that is known here and cannot go on there is no need to ask another server.
      const strange = addresses.filter((each) => bound !== undefined || !subnet6Contains(subnet.network, each));
      if (isRebind) return strange.length > 0 ? [{ ia, withdrawn: strange }] : [];
      return [strange.length > 0 ? { ia, withdrawn: strange } : { ia, status: NO_BINDING }];
    }
    const address = leases.lease(subnet, client, { addresses, taken, isRenewal: true });
    if (address === undefined) return [{ ia, status: NO_BINDING }];
    taken.add(address);
    return [{ ia, address, withdrawn: addresses.filter((each) => each !== address) }];
  });
}

/** To RELEASE and DECLINE: RFC 8415 §18.3.7, §18.3.8. Only what went wrong is told by IA. */
export function giveUpAll(
  exchange: LeaseExchange,
  how: 'release' | 'decline',
): { readonly associations: AnsweredAssociation[]; readonly addresses: readonly Ipv6[] } {
  const { request, subnet, leases } = exchange;
  const given: Ipv6[] = [];
  const associations = request.associations.flatMap((ia): AnsweredAssociation[] => {
    const client = clientOf(exchange, ia);
    const done = addressesOf(ia).filter((address) => leases[how](subnet, client, address));
    given.push(...done);
    return done.length > 0 ? [] : [{ ia, status: NO_BINDING }];
  });
  return { associations, addresses: given };
}

/** To CONFIRM, RFC 8415 §18.3.3: whether all its addresses are of this network; undefined where it names none. */
export function areOnLink({ associations }: Dhcp6Request, subnet: Subnet6): boolean | undefined {
  const addresses = associations.flatMap(addressesOf);
  if (addresses.length === 0) return undefined;
  return addresses.every((address) => subnet6Contains(subnet.network, address));
}

function addressesOf(ia: RequestedAssociation): Ipv6[] {
  return ia.addresses.map(({ address }) => address);
}

function clientOf({ request, duid }: LeaseExchange, ia: RequestedAssociation): Lease6Client {
  return { duid, iaid: ia.iaid, mac: request.mac, uuid: request.uuid };
}
