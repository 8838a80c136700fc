import { ApiError, apiV2, Code, create } from '@ingot/api';
import { formatIpAddress, ipRangeContains, parseIpAddress, type IpFamily } from '@ingot/wire';
import { text } from '../store/row.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { isSuper } from './kinds.ts';
import { stored } from './network-prefixes.ts';
import { MACHINE_LABEL } from './machine-label.ts';
import { findFreeAddress, hostRange } from './free-space.ts';

const { NetworkType: Type, IPType, IPAddressFamily } = apiV2;

/** What an address is wanted for. */
export interface IpWish {
  readonly uuid: string;
  readonly network: string;
  readonly project: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** This very address; undefined: the lowest free one. */
  readonly ip?: string | undefined;
  /** The machine that has it: it goes with the machine, if it is ephemeral. */
  readonly machine?: string | undefined;
  readonly labels?: apiV2.Labels | undefined;
  readonly type?: apiV2.IPType | undefined;
  readonly addressFamily?: apiV2.IPAddressFamily | undefined;
}

/**
 * Takes an address out of a network, within a transaction serialised by `IPAM`. Throws `NotFound`, `InvalidArgument`,
 * `AlreadyExists` for an address that somebody has, `ResourceExhausted` when none is left.
 */
export async function createIp(stores: Stores, wish: IpWish): Promise<Stored<apiV2.IP>> {
  const { value: network } = await stores.networks.need(wish.network);
  await stores.projects.need(wish.project);
  checkMayUse(network, wish.project);
  const namespace = network.namespace ?? '';
  const address =
    wish.ip === undefined ? await lowestFree(stores, network, wish) : await thisOne(stores, network, wish.ip);
  const labels = { ...wish.labels?.labels, ...(wish.machine === undefined ? {} : { [MACHINE_LABEL]: wish.machine }) };
  return stores.ips.create(
    wish.uuid,
    create(apiV2.IPSchema, {
      uuid: wish.uuid,
      ip: address,
      network: network.id,
      project: wish.project,
      name: wish.name ?? '',
      description: wish.description ?? '',
      type: wish.type === undefined || wish.type === IPType.IP_TYPE_UNSPECIFIED ? IPType.IP_TYPE_EPHEMERAL : wish.type,
      ...(namespace === '' ? {} : { namespace }),
      ...(Object.keys(labels).length === 0 ? {} : { meta: { labels: { labels } } }),
    }),
  );
}

/** Super networks only give prefixes to children, and a child is its project's unless it is shared. */
function checkMayUse(network: apiV2.Network, project: string): void {
  if (isSuper(network.type))
    throw new ApiError(
      Code.InvalidArgument,
      `network "${network.id}" is a super network: make a child of it, and take the address from there`,
    );
  if (network.type === Type.CHILD_SHARED || network.project === undefined || network.project === project) return;
  throw new ApiError(Code.NotFound, `there is no network "${network.id}" that project ${project} may use`);
}

async function thisOne(stores: Stores, network: apiV2.Network, wanted: string): Promise<string> {
  const parsed = parseIpAddress(wanted);
  if (!parsed.ok) throw new ApiError(Code.InvalidArgument, parsed.reason);
  const address = formatIpAddress(parsed.value);
  const prefix = network.prefixes.map(stored).find((one) => ipRangeContains(one, parsed.value));
  if (prefix === undefined)
    throw new ApiError(
      Code.InvalidArgument,
      `${address} is not in network "${network.id}", which has ${network.prefixes.join(', ')}`,
    );
  if (!ipRangeContains(hostRange(prefix), parsed.value))
    throw new ApiError(
      Code.InvalidArgument,
      `${address} is the network or broadcast address of ${network.prefixes.join(', ')}`,
    );
  const [holder] = await stores.ips.list({ namespace: network.namespace ?? '', address });
  if (holder !== undefined)
    throw new ApiError(Code.AlreadyExists, `${address} is taken: it belongs to project ${holder.value.project}`);
  return address;
}

async function lowestFree(stores: Stores, network: apiV2.Network, { addressFamily }: IpWish): Promise<string> {
  const prefixes = network.prefixes.map(stored);
  const asked: IpFamily | undefined =
    addressFamily === IPAddressFamily.IP_ADDRESS_FAMILY_V4
      ? 'ipv4'
      : addressFamily === IPAddressFamily.IP_ADDRESS_FAMILY_V6
        ? 'ipv6'
        : undefined;
  const family = asked ?? (prefixes.some((one) => one.family === 'ipv4') ? 'ipv4' : 'ipv6');
  if (!prefixes.some((one) => one.family === family))
    throw new ApiError(Code.InvalidArgument, `network "${network.id}" has no ${family} prefix`);
  const rows = await stores.session.all(
    'SELECT address FROM ip WHERE namespace = ? AND network = ?',
    network.namespace ?? '',
    network.id,
  );
  const used = new Set(rows.map((row) => addressOf(text(row, 'address'))));
  const found = findFreeAddress(prefixes, (value) => used.has(value), family);
  if (found === undefined)
    throw new ApiError(
      Code.ResourceExhausted,
      `no ${family} address is free in network "${network.id}" (${network.prefixes.join(', ')}): delete addresses ` +
        'that nobody uses, or take another network',
    );
  return formatIpAddress({ family, value: found });
}

function addressOf(written: string): bigint | undefined {
  const parsed = parseIpAddress(written);
  return parsed.ok ? parsed.value.value : undefined;
}
