import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import {
  formatIpAddress,
  ipRangeContains,
  parseInterfaceAddress,
  parseIpAddress,
  type Decoded,
  type IpPrefix,
} from '@ingot/wire';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { createIp } from '../network/create-ip.ts';
import { IPAM } from '../network/kinds.ts';
import { MACHINE_LABEL } from '../network/machine-label.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { entityView } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { once } from './once.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { IPSchema, IPType, IPAddressFamily } = apiV2;

/** `metalstack.api.v2.IPService`: addresses of one project. */
export function ipService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.IPService, Caller>(apiV2.IPService, {
    get: async ({ ip, project, namespace }) => ({
      ip: entityView(IPSchema, await own(stores, ip, project, namespace)),
    }),
    create: (request, context) =>
      once(stores, {
        method: apiV2.IPService.method.create,
        request,
        context,
        ...IPAM,
        make: async (inner) => {
          const machine = await machineFor(inner, request);
          const created = await createIp(inner, { ...request, machine, uuid: uuidV7(clock.now(), entropy) });
          return { id: created.id, answer: { ip: entityView(IPSchema, created) } };
        },
        again: async (inner, id) => ({ ip: entityView(IPSchema, await inner.ips.need(id)) }),
      }),
    update: ({ ip, project, updateMeta, name, description, type, labels }) =>
      stores.transaction(async (inner) => {
        const { id } = await own(inner, ip, project);
        const changed = await updateEntity(inner.ips, id, updateMeta, (address) => {
          if (name !== undefined) address.name = name;
          if (description !== undefined) address.description = description;
          if (type === IPType.IP_TYPE_EPHEMERAL && address.type === IPType.IP_TYPE_STATIC)
            throw new ApiError(
              Code.FailedPrecondition,
              `${ip} is static, which is a promise to keep it: delete it when nobody needs it any more`,
            );
          if (type !== undefined && type !== IPType.IP_TYPE_UNSPECIFIED) address.type = type;
          const machine = address.meta?.labels?.labels[MACHINE_LABEL];
          updateLabels(address, labels);
          if (address.meta?.labels?.labels[MACHINE_LABEL] !== machine)
            throw new ApiError(Code.InvalidArgument, `the label ${MACHINE_LABEL} is set and taken away by allocations`);
        });
        return { ip: entityView(IPSchema, changed) };
      }),
    list: async ({ project, query }) => ({ ips: await listed(stores, query, project) }),
    delete: ({ ip, project }) =>
      stores.transaction(async (inner) => {
        const found = await own(inner, ip, project);
        const machine = found.value.meta?.labels?.labels[MACHINE_LABEL];
        if (machine !== undefined)
          throw new ApiError(Code.FailedPrecondition, `${ip} belongs to machine ${machine}: free the machine first`);
        await inner.ips.delete(found.id);
        return { ip: entityView(IPSchema, found) };
      }, IPAM),
  });
}

/** `metalstack.admin.v2.IPService`. */
export function adminIpService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.IPService, Caller>(adminV2.IPService, {
    list: async ({ query }) => ({ ips: await listed(stores, query, undefined) }),
  });
}

/** An address goes with its machine, so that nobody may hang one on somebody else's. */
async function machineFor(
  stores: Stores,
  { project, machine, labels }: apiV2.IPServiceCreateRequest,
): Promise<string | undefined> {
  if (labels?.labels[MACHINE_LABEL] !== undefined)
    throw new ApiError(Code.InvalidArgument, `give machine instead of the label ${MACHINE_LABEL}`);
  if (machine === undefined) return undefined;
  const found = await stores.machines.get(machineIdOf(machine));
  if (found?.value.allocation?.project !== project)
    throw new ApiError(Code.NotFound, `project ${project} has no machine ${machine}`);
  return found.id;
}

/** An address of a project. The same one may be in several namespaces; without one, the project's only one is meant. */
async function own(stores: Stores, ip: string, project: string, namespace?: string): Promise<Stored<apiV2.IP>> {
  const parsed = parseIpAddress(ip);
  const address = parsed.ok ? formatIpAddress(parsed.value) : ip;
  const found = await stores.ips.list({ address, project, ...(namespace === undefined ? {} : { namespace }) });
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw first === undefined
    ? new ApiError(Code.NotFound, `project ${project} has no address ${ip}`)
    : new ApiError(Code.InvalidArgument, `project ${project} has ${ip} in several namespaces: give namespace`);
}

async function listed(
  stores: Stores,
  query: apiV2.IPQuery | undefined,
  ofProject: string | undefined,
): Promise<apiV2.IP[]> {
  const { network, machine, namespace, ip } = query ?? create(apiV2.IPQuerySchema);
  const project = ofProject ?? query?.project;
  const address = ip === undefined ? undefined : understood(parseIpAddress(ip));
  const within =
    query?.parentPrefixCidr === undefined ? undefined : understood(parseInterfaceAddress(query.parentPrefixCidr));
  const found = await stores.ips.list({
    ...(network === undefined ? {} : { network }),
    ...(machine === undefined ? {} : { machine }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(project === undefined ? {} : { project }),
    ...(address === undefined ? {} : { address: formatIpAddress(address) }),
  });
  return found.filter(({ value }) => matches(value, query, within)).map((one) => entityView(IPSchema, one));
}

function understood<T>(read: Decoded<T>): T {
  if (!read.ok) throw new ApiError(Code.InvalidArgument, read.reason);
  return read.value;
}

function matches(ip: apiV2.IP, query: apiV2.IPQuery | undefined, within: IpPrefix | undefined): boolean {
  if (query === undefined) return true;
  const address = parseIpAddress(ip.ip);
  const family =
    query.addressFamily === IPAddressFamily.IP_ADDRESS_FAMILY_V4
      ? 'ipv4'
      : query.addressFamily === IPAddressFamily.IP_ADDRESS_FAMILY_V6
        ? 'ipv6'
        : undefined;
  return (
    (query.uuid === undefined || query.uuid === ip.uuid) &&
    (query.name === undefined || query.name === ip.name) &&
    (query.type === undefined || query.type === ip.type) &&
    (family === undefined || (address.ok && family === address.value.family)) &&
    (within === undefined || (address.ok && ipRangeContains(within, address.value))) &&
    hasLabels(ip, query.labels)
  );
}
