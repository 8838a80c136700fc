import { apiV2, create, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { projectUuid } from '../project-name.ts';
import { askOnce } from '../ask-once.ts';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { parseCount, parsePair, withApiFlags, withListFlags } from '../options.ts';
import { given } from './given.ts';
import { fieldNames } from '../template/fields.ts';

const NETWORK_FAMILIES = {
  ipv4: apiV2.NetworkAddressFamily.V4,
  ipv6: apiV2.NetworkAddressFamily.V6,
  'dual-stack': apiV2.NetworkAddressFamily.DUAL_STACK,
} as const;

const IP_FAMILIES = {
  ipv4: apiV2.IPAddressFamily.IP_ADDRESS_FAMILY_V4,
  ipv6: apiV2.IPAddressFamily.IP_ADDRESS_FAMILY_V6,
} as const;

interface NamedFlags extends ContextFlags {
  readonly project: string;
  readonly name?: string;
  readonly description?: string;
  readonly label?: Readonly<Record<string, string>>;
}

interface AllocateFlags extends NamedFlags {
  readonly partition?: string;
  readonly parentNetwork?: string;
  readonly ipv4Length?: number;
  readonly ipv6Length?: number;
  readonly family?: keyof typeof NETWORK_FAMILIES;
}

/** `ingot network allocate`, `free`, `base` and `external-member`: what projects do, with a token of their own. */
export function addNetworkExtras(network: Command, io: CliIo): void {
  withApiFlags(
    withNames(network.command('allocate').description('give a project a network of its own, out of a super network'))
      .option('--partition <id>', 'where')
      .option('--parent-network <id>', 'out of which super network')
      .option('--ipv4-length <bits>', "how long its IPv4 prefix is; default: the parent's", parseCount(1, 32))
      .option('--ipv6-length <bits>', "how long its IPv6 prefix is; default: the parent's", parseCount(1, 128))
      .addOption(new Option('--family <family>', 'only these addresses').choices(Object.keys(NETWORK_FAMILIES))),
  ).action(async (flags: AllocateFlags) => {
    const { partition, parentNetwork, ipv4Length, ipv6Length, family } = flags;
    const hasLength = ipv4Length !== undefined || ipv6Length !== undefined;
    const length = hasLength
      ? create(apiV2.ChildPrefixLengthSchema, { ...given('ipv4', ipv4Length), ...given('ipv6', ipv6Length) })
      : undefined;
    const { network: made } = await withApi(flags, io, async (api) => {
      const project = await projectUuid(api, flags.project);
      return askOnce(io, call.timeoutMs, (options) =>
        api.projectNetworks.create(
          {
            project,
            ...namesOf(flags),
            ...given('partition', partition),
            ...given('parentNetwork', parentNetwork),
            ...given('length', length),
            ...given('addressFamily', family === undefined ? undefined : NETWORK_FAMILIES[family]),
          },
          options,
        ),
      );
    });
    io.stdout(`network ${made?.id ?? ''} created: ${(made?.prefixes ?? []).join(', ')}\n`);
  });

  withApiFlags(
    network
      .command('free')
      .description('give a network of a project back')
      .argument('<id>', 'its whole id')
      .requiredOption('--project <uuid|name>', 'whose it is'),
  ).action(async (id: string, flags: NamedFlags) => {
    await withApi(flags, io, async (api) => {
      const project = await projectUuid(api, flags.project);
      return api.projectNetworks.delete({ id, project }, call);
    });
    io.stdout(`network ${id} removed\n`);
  });

  withApiFlags(
    network
      .command('update')
      .description('change name, description and labels of a network of a project')
      .argument('<id>', 'its whole id')
      .requiredOption('--project <uuid|name>', 'whose it is')
      .option('--name <name>', 'how it is called')
      .option('--description <text>', 'what it is for')
      .option('--label <key=value>', 'a label to set; may be repeated', parsePair),
  ).action(async (id: string, flags: NamedFlags) => {
    const { name, description, label } = flags;
    const updateMeta = { lockingStrategy: apiV2.OptimisticLockingStrategy.SERVER };
    const patch = { update: create(apiV2.LabelsSchema, { labels: { ...label } }), remove: [] };
    const labels = create(apiV2.UpdateLabelsSchema, { strategy: { case: 'patch', value: patch } });
    await withApi(flags, io, async (api) => {
      const project = await projectUuid(api, flags.project);
      return api.projectNetworks.update(
        {
          id,
          project,
          updateMeta,
          ...given('name', name),
          ...given('description', description),
          ...given('labels', label === undefined ? undefined : labels),
        },
        call,
      );
    });
    io.stdout(`network ${id} changed\n`);
  });

  withApiFlags(
    withListFlags(
      network
        .command('base')
        .description('list the networks that a project may use besides its own')
        .requiredOption('--project <uuid|name>', 'which project'),
      BASE,
    ),
  ).action((flags: ListFlags & NamedFlags) =>
    showApiList(flags, io, BASE, async (api) => {
      const project = await projectUuid(api, flags.project);
      return (await api.projectNetworks.listBaseNetworks({ project }, call)).networks;
    }),
  );

  addExternalMembers(network, io);
}

const BASE: ListView<apiV2.Network> = {
  fields: fieldNames(apiV2.NetworkSchema),
  columns: () => [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'NAME', cell: ({ name }) => name ?? '' },
    { title: 'PARTITION', cell: ({ partition }) => partition ?? '' },
    { title: 'PREFIXES', cell: ({ prefixes }) => prefixes.join(',') },
    { title: 'DESCRIPTION', cell: ({ description }) => description ?? '', wide: true },
  ],
  json: (network) => toJson(apiV2.NetworkSchema, network),
  key: ({ id }) => id,
};

const MEMBERS: ListView<apiV2.ExternalNetworkMember> = {
  fields: fieldNames(apiV2.ExternalNetworkMemberSchema),
  columns: () => [
    { title: 'SWITCH', cell: (member) => member.switch },
    { title: 'PORTS', cell: ({ ports }) => ports.join(',') },
  ],
  json: (member) => toJson(apiV2.ExternalNetworkMemberSchema, member),
  key: (member) => member.switch,
};

/** Ports of switches that lead out of the fabric into an external network. */
function addExternalMembers(network: Command, io: CliIo): void {
  const member = network
    .command('external-member')
    .description('see and change which switch ports lead into an external network')
    .helpCommand(false);

  withApiFlags(
    withListFlags(member.command('ls').alias('list').description('list them').argument('<network>', 'its id'), MEMBERS)
      .option('--switch <id>', 'only ports of this switch')
      .option('--rack <id>', 'only switches of this rack'),
  ).action((id: string, flags: ListFlags & ContextFlags & { readonly switch?: string; readonly rack?: string }) =>
    showApiList(flags, io, MEMBERS, async (api) => {
      const query = { ...given('switch', flags.switch), ...given('rack', flags.rack) };
      return (await api.networks.listExternalMembers({ network: id, query }, call)).members;
    }),
  );

  const ports = (one: Command): Command =>
    withApiFlags(
      one
        .argument('<network>', 'its id')
        .argument('<switch>', 'name of the switch')
        .argument('<port...>', 'names of its ports'),
    );
  ports(member.command('add').description('let ports lead into it')).action(
    async (id: string, leaf: string, names: readonly string[], flags: ContextFlags) => {
      const switchPorts = [{ switch: leaf, ports: [...names] }];
      await withApi(flags, io, (api) => api.networks.addExternalMember({ network: id, switchPorts }, call));
      io.stdout(`${names.join(', ')} of switch ${leaf} lead into network ${id}\n`);
    },
  );
  ports(member.command('rm').alias('remove').description('let ports lead there no more')).action(
    async (id: string, leaf: string, names: readonly string[], flags: ContextFlags) => {
      const switchPorts = [{ switch: leaf, ports: [...names] }];
      await withApi(flags, io, (api) => api.networks.removeExternalMember({ network: id, switchPorts }, call));
      io.stdout(`${names.join(', ')} of switch ${leaf} lead into network ${id} no more\n`);
    },
  );
}

interface IpFlags extends NamedFlags {
  readonly network: string;
  readonly ip?: string;
  readonly static?: boolean;
  readonly family?: keyof typeof IP_FAMILIES;
}

/** `ingot ip allocate`. */
export function addIpExtras(ip: Command, io: CliIo): void {
  withApiFlags(
    withNames(ip.command('allocate').description('give a project an address of a network'))
      .requiredOption('--network <id>', 'of which network')
      .option('--ip <address>', 'this very address; default: a free one')
      .option('--static', 'keep it when the machine that has it is freed')
      .addOption(new Option('--family <family>', 'which kind of address').choices(Object.keys(IP_FAMILIES))),
  ).action(async (flags: IpFlags) => {
    const { network, ip: address, family } = flags;
    const type = flags.static === true ? apiV2.IPType.IP_TYPE_STATIC : apiV2.IPType.IP_TYPE_EPHEMERAL;
    const { ip: made } = await withApi(flags, io, async (api) => {
      const project = await projectUuid(api, flags.project);
      return askOnce(io, call.timeoutMs, (options) =>
        api.ips.create(
          {
            project,
            network,
            type,
            ...namesOf(flags),
            ...given('ip', address),
            ...given('addressFamily', family === undefined ? undefined : IP_FAMILIES[family]),
          },
          options,
        ),
      );
    });
    io.stdout(`ip ${made?.ip ?? ''} created\n`);
  });
}

function withNames(command: Command): Command {
  return command
    .requiredOption('--project <uuid|name>', 'whom it is for')
    .option('--name <name>', 'how it is called')
    .option('--description <text>', 'what it is for')
    .option('--label <key=value>', 'a label; may be repeated', parsePair);
}

function namesOf({ name, description, label }: NamedFlags): {
  readonly name?: string;
  readonly description?: string;
  readonly labels?: apiV2.Labels;
} {
  return {
    ...given('name', name),
    ...given('description', description),
    ...given('labels', label === undefined ? undefined : create(apiV2.LabelsSchema, { labels: { ...label } })),
  };
}
