import { ApiError, apiV2, Code, create, enumText } from '@ingot/api';
import { formatIpAddress, ipRangeContains, parseIpAddress } from '@ingot/wire';
import { createIp } from '../network/create-ip.ts';
import { isSuper } from '../network/kinds.ts';
import { stored as storedPrefix } from '../network/network-prefixes.ts';
import { MACHINE_LABEL } from '../network/machine-label.ts';
import type { Stores } from '../store/stores.ts';

const { NetworkType: Type, MachineAllocationType } = apiV2;

export interface NetworkJoin {
  readonly machine: string;
  readonly partition: string;
  readonly project: string;
  readonly role: apiV2.MachineAllocationType;
  readonly wanted: readonly apiV2.MachineAllocationNetwork[];
  readonly asn: number;
  readonly newUuid: () => string;
}

/**
 * Makes a machine part of its networks: with the addresses that were asked for, or the lowest free one of each network.
 * A machine is in exactly one network of its project and never in an underlay; a firewall is in at least one external
 * network, and is given the underlay of its partition. Private networks come first, as images expect it.
 */
export async function joinNetworks(stores: Stores, join: NetworkJoin): Promise<apiV2.MachineNetwork[]> {
  const networks = await wantedNetworks(stores, join);
  const joined: apiV2.MachineNetwork[] = [];
  for (const { network, ips } of networks) {
    const addresses =
      ips.length > 0 ? await takeGiven(stores, join, network, ips) : [await takeNew(stores, join, network)];
    joined.push(
      create(apiV2.MachineNetworkSchema, {
        network: network.id,
        prefixes: network.prefixes,
        destinationPrefixes: network.destinationPrefixes,
        ips: addresses,
        networkType: network.type,
        natType: network.natType,
        vrf: BigInt(network.vrf ?? 0),
        asn: join.asn,
        ...(network.project === undefined ? {} : { project: network.project }),
      }),
    );
  }
  return joined;
}

/** In networks of projects a machine's routes are announced by its own AS; the order is what images rely on. */
const RANK: Readonly<Partial<Record<apiV2.NetworkType, number>>> = {
  [Type.CHILD]: 0,
  [Type.CHILD_SHARED]: 1,
  [Type.EXTERNAL]: 2,
  [Type.UNDERLAY]: 3,
};

interface Wanted {
  readonly network: apiV2.Network;
  readonly ips: readonly string[];
}

async function wantedNetworks(stores: Stores, join: NetworkJoin): Promise<Wanted[]> {
  const isFirewall = join.role === MachineAllocationType.FIREWALL;
  const wanted: Wanted[] = [];
  for (const { network: id, ips } of join.wanted) {
    if (wanted.some(({ network }) => network.id === id)) throw refused(`network "${id}" is named twice`);
    const { value: network } = await stores.networks.need(id);
    const kind = enumText(apiV2.NetworkTypeSchema, network.type);
    if (isSuper(network.type)) throw refused(`network "${id}" is of type ${kind}: make a child of it for the machine`);
    if (network.type === Type.UNDERLAY)
      throw refused(`network "${id}" is an underlay, which firewalls are given and machines are not: leave it out`);
    if (network.project !== undefined && network.project !== join.project && network.type !== Type.CHILD_SHARED)
      throw new ApiError(Code.NotFound, `there is no network "${id}" that project ${join.project} may use`);
    if (network.partition !== undefined && network.partition !== join.partition)
      throw refused(`network "${id}" is in partition "${network.partition}", the machine in "${join.partition}"`);
    wanted.push({ network, ips });
  }
  const own = wanted.filter(({ network }) => isOwn(network, join.project));
  if (!isFirewall && own.length !== 1)
    throw refused(
      `a machine is in exactly one network of its project, not in ${own.length}: ` +
        (own.length === 0
          ? 'name a child network'
          : `choose one of ${own.map(({ network }) => network.id).join(', ')}`),
    );
  if (isFirewall) {
    if (!wanted.some(({ network }) => network.type === Type.EXTERNAL))
      throw refused('a firewall is in at least one external network: name one');
    const [underlay] = await stores.networks.list({ type: Type.UNDERLAY, partition: join.partition });
    if (underlay === undefined)
      throw new ApiError(
        Code.FailedPrecondition,
        `partition "${join.partition}" has no underlay network, which every firewall needs: make one`,
      );
    wanted.push({ network: underlay.value, ips: [] });
  }
  return wanted.toSorted((a, b) => rank(a, join.project) - rank(b, join.project));
}

function isOwn(network: apiV2.Network, project: string): boolean {
  return (network.type === Type.CHILD || network.type === Type.CHILD_SHARED) && network.project === project;
}

function rank({ network }: Wanted, project: string): number {
  return isOwn(network, project) ? 0 : (RANK[network.type] ?? 9) + 1;
}

/** Addresses that the project has and that no other machine uses, or free ones of the network. */
async function takeGiven(
  stores: Stores,
  join: NetworkJoin,
  network: apiV2.Network,
  ips: readonly string[],
): Promise<string[]> {
  const taken: string[] = [];
  for (const text of ips) {
    const parsed = parseIpAddress(text);
    if (!parsed.ok) throw refused(parsed.reason);
    const address = formatIpAddress(parsed.value);
    if (!network.prefixes.some((prefix) => ipRangeContains(storedPrefix(prefix), parsed.value)))
      throw refused(`${address} is not in network "${network.id}", which has ${network.prefixes.join(', ')}`);
    const [found] = await stores.ips.list({ namespace: network.namespace ?? '', address });
    if (found === undefined || found.value.project !== join.project)
      throw new ApiError(
        Code.NotFound,
        `project ${join.project} has no address ${address}: make it first, or leave it out`,
      );
    const holder = found.value.meta?.labels?.labels[MACHINE_LABEL];
    if (holder !== undefined && holder !== join.machine)
      throw new ApiError(Code.FailedPrecondition, `${address} belongs to machine ${holder}`);
    await stores.ips.edit(found.id, (ip) => {
      ip.meta ??= create(apiV2.MetaSchema);
      ip.meta.labels ??= create(apiV2.LabelsSchema);
      ip.meta.labels.labels[MACHINE_LABEL] = join.machine;
    });
    taken.push(address);
  }
  return taken;
}

async function takeNew(stores: Stores, join: NetworkJoin, network: apiV2.Network): Promise<string> {
  const { value } = await createIp(stores, {
    uuid: join.newUuid(),
    network: network.id,
    project: join.project,
    machine: join.machine,
    name: join.machine,
    type: apiV2.IPType.IP_TYPE_EPHEMERAL,
  });
  return value.ip;
}

function refused(words: string): ApiError {
  return new ApiError(Code.InvalidArgument, words);
}
