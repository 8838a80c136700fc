import { adminV2, apiV2, Code, create, createClient } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { MACHINE_LABEL } from '../../src/network/machine-label.ts';
import { failure, machineA, startRig, type Rig } from '../support.ts';

const { NetworkType: Type, NetworkAddressFamily: Families, IPType, OptimisticLockingStrategy } = apiV2;
const SERVER = { lockingStrategy: OptimisticLockingStrategy.SERVER };

async function lab(rig: Rig) {
  const clients = {
    networks: createClient(apiV2.NetworkService, rig.admin),
    admin: createClient(adminV2.NetworkService, rig.admin),
    ips: createClient(apiV2.IPService, rig.admin),
    adminIps: createClient(adminV2.IPService, rig.admin),
    projects: createClient(apiV2.ProjectService, rig.admin),
    tenants: createClient(adminV2.TenantService, rig.admin),
  };
  await clients.tenants.create({ name: 'acme' });
  const project = async (name: string): Promise<string> =>
    (await clients.projects.create({ login: 'acme', name, description: '' })).project?.uuid ?? '';
  return { ...clients, a: await project('a1'), b: await project('b1') };
}

/** A super network of the partition `lab` whose children are /22 and /64. */
const tenantSuper = {
  id: 'super',
  type: Type.SUPER,
  partition: 'lab',
  prefixes: ['10.0.0.0/20', '2001:db8::/48'],
  defaultChildPrefixLength: { ipv4: 22, ipv6: 64 },
  minChildPrefixLength: { ipv4: 21 },
};
const internet = {
  id: 'internet',
  type: Type.EXTERNAL,
  prefixes: ['198.51.100.0/29'],
  destinationPrefixes: ['0.0.0.0/0'],
};

describe('a child network', () => {
  test('gets the next prefix of each family, and a VRF of its own', async () => {
    await using rig = await startRig();
    const { admin, networks, a, b } = await lab(rig);
    await admin.create(tenantSuper);
    const one = (await networks.create({ project: a, partition: 'lab' })).network;
    const other = (await networks.create({ project: b, parentNetwork: 'super', length: { ipv4: 24 } })).network;
    expect(one).toMatchObject({
      prefixes: ['10.0.0.0/22', '2001:db8::/64'],
      vrf: 1,
      partition: 'lab',
      parentNetwork: 'super',
    });
    expect(other).toMatchObject({ prefixes: ['10.0.4.0/24'], vrf: 2 });
    expect((await networks.list({ project: a })).networks.map(({ id }) => id)).toEqual([one?.id]);
    expect((await failure(networks.get({ id: one?.id ?? '', project: b }))).code).toBe(Code.NotFound);
    expect((await networks.listBaseNetworks({ project: a })).networks.map(({ id }) => id)).toEqual(['super']);
    expect((await admin.get({ id: 'super' })).network?.consumption?.ipv4).toMatchObject({
      availablePrefixes: 4n,
      usedPrefixes: 2n,
    });
    await networks.delete({ id: one?.id ?? '', project: a });
    const next = (await networks.create({ project: a, partition: 'lab', addressFamily: Families.V4 })).network;
    expect(next).toMatchObject({ prefixes: ['10.0.0.0/22'], vrf: 1 });
  });

  test('of a namespaced super network may have the prefix that another project has', async () => {
    await using rig = await startRig();
    const { admin, networks, ips, a, b } = await lab(rig);
    await admin.create({
      ...tenantSuper,
      id: 'spaces',
      type: Type.SUPER_NAMESPACED,
      prefixes: ['100.64.0.0/16'],
      defaultChildPrefixLength: { ipv4: 22 },
    });
    const made = [];
    for (const project of [a, b, a]) made.push((await networks.create({ project, parentNetwork: 'spaces' })).network);
    expect(made.map((network) => network?.prefixes)).toEqual([['100.64.0.0/22'], ['100.64.0.0/22'], ['100.64.4.0/22']]);
    expect(new Set(made.map((network) => network?.vrf)).size).toBe(3);
    const addresses = [];
    for (const [index, project] of [a, b].entries())
      addresses.push((await ips.create({ project, network: made[index]?.id ?? '' })).ip);
    expect(addresses.map((ip) => ip?.ip)).toEqual(['100.64.0.1', '100.64.0.1']);
    expect(addresses.map((ip) => ip?.namespace)).toEqual([a, b]);
  });

  test.each([
    ['a length that is shorter than the least', { length: { ipv4: 20 } }, 'gives out /21 and longer'],
    ['a family that the parent lacks', { parentNetwork: 'v4', addressFamily: Families.V6 }, 'has no prefix of ipv6'],
    ['a parent that is no super network', { parentNetwork: 'internet' }, 'is no super network'],
    ['a parent that is not there', { parentNetwork: 'nowhere' }, 'no network "nowhere"'],
    [
      'a length of a family that the parent lacks',
      { parentNetwork: 'v4', length: { ipv6: 64 } },
      'the family of length',
    ],
    [
      'two families of which the parent lacks one',
      { parentNetwork: 'v4', addressFamily: Families.DUAL_STACK },
      'of ipv6',
    ],
  ])('with %s is refused', async (_name, change, words) => {
    await using rig = await startRig();
    const { admin, networks, a } = await lab(rig);
    await admin.create(tenantSuper);
    await admin.create(internet);
    await admin.create({
      id: 'v4',
      type: Type.SUPER,
      prefixes: ['10.64.0.0/16'],
      defaultChildPrefixLength: { ipv4: 22 },
    });
    const wish = { project: a, parentNetwork: 'super', ...change };
    expect((await failure(networks.create(wish))).message).toContain(words);
  });

  test('is what its parent leaves to it, and needs a project and a parent', async () => {
    await using rig = await startRig();
    const { admin, a } = await lab(rig);
    await admin.create(tenantSuper);
    const say = async (change: Parameters<typeof admin.create>[0]): Promise<string> =>
      (await failure(admin.create({ id: 'child', type: Type.CHILD, project: a, parentNetwork: 'super', ...change })))
        .message;
    for (const [field, change] of Object.entries({
      prefixes: { prefixes: ['10.0.0.0/22'] },
      destination_prefixes: { destinationPrefixes: ['0.0.0.0/0'] },
      additional_announcable_cidrs: { additionalAnnouncableCidrs: ['192.0.2.0/24'] },
      nat_type: { natType: apiV2.NATType.NAT_TYPE_IPV4_MASQUERADE },
      default_child_prefix_length: { defaultChildPrefixLength: { ipv4: 24 } },
      min_child_prefix_length: { minChildPrefixLength: { ipv4: 24 } },
    }))
      expect(await say(change)).toMatch(new RegExp(`leave out ${field}$`));
    const orphan = { id: 'child', type: Type.CHILD };
    expect((await failure(admin.create({ ...orphan, parentNetwork: 'super' }))).message).toContain('give project');
    expect((await failure(admin.create({ ...orphan, project: a }))).message).toContain('parent_network or partition');
  });

  test('of a partition has the only super network of it as its parent, and no other one', async () => {
    await using rig = await startRig();
    const { admin, networks, a } = await lab(rig);
    await rig.plane.stores.partitions.create('other', create(apiV2.PartitionSchema, { id: 'other' }));
    const say = async (change: object): Promise<string> =>
      (await failure(networks.create({ project: a, ...change }))).message;
    expect(await say({ partition: 'lab' })).toContain('has no super network');
    await admin.create(tenantSuper);
    expect(await say({ partition: 'other' })).toContain('partition "other" has no super network');
    expect(await say({ partition: 'other', parentNetwork: 'super' })).toContain(
      'is in partition "lab", not in "other"',
    );
    await admin.create({ ...tenantSuper, id: 'more', prefixes: ['10.64.0.0/16', '2001:db8:1::/48'] });
    expect(await say({ partition: 'lab' })).toContain('several super networks (more, super): give parent_network');
  });

  test('is refused when the parent is full, with what to do', async () => {
    await using rig = await startRig();
    const { admin, networks, a } = await lab(rig);
    await admin.create({ ...tenantSuper, prefixes: ['10.0.0.0/21'], defaultChildPrefixLength: { ipv4: 22 } });
    const made = await Promise.allSettled([1, 2, 3, 4].map(() => networks.create({ project: a, partition: 'lab' })));
    const prefixes = made.flatMap((one) => (one.status === 'fulfilled' ? (one.value.network?.prefixes ?? []) : []));
    expect(prefixes.toSorted()).toEqual(['10.0.0.0/22', '10.0.4.0/22']);
    const refused = await failure(networks.create({ project: a, partition: 'lab' }));
    expect(refused).toMatchObject({ code: Code.ResourceExhausted, message: expect.stringContaining('no /22 is free') });
  });
});

test('a VPN is refused with the reason', async () => {
  await using rig = await startRig();
  const vpn = createClient(adminV2.VPNService, rig.admin);
  const wish = { project: machineA, reason: 'looking at a machine' };
  for (const call of [() => vpn.authKey(wish), () => vpn.listNodes({})])
    expect(await failure(call())).toMatchObject({
      code: Code.Unimplemented,
      message: expect.stringContaining('machines are reached through the management network'),
    });
});

test('external members are refused with the reason, and nothing is kept of them', async () => {
  await using rig = await startRig();
  const { admin } = await lab(rig);
  await admin.create(internet);
  const change = { network: 'internet', switchPorts: [{ switch: 'leaf01', ports: ['Ethernet0'] }] };
  for (const call of [
    () => admin.addExternalMember(change),
    () => admin.removeExternalMember(change),
    () => admin.listExternalMembers({ network: 'internet' }),
  ])
    expect(await failure(call())).toMatchObject({
      code: Code.Unimplemented,
      message: expect.stringContaining('configure such ports on the switch itself'),
    });
});

describe('a network with prefixes of its own', () => {
  test('overlaps with no other one', async () => {
    await using rig = await startRig();
    const { admin } = await lab(rig);
    await admin.create(tenantSuper);
    const twin = await failure(admin.create({ ...internet, prefixes: ['10.0.8.0/24'] }));
    expect(twin.message).toContain('10.0.8.0/24 overlaps with 10.0.0.0/20 of network "super"');
  });

  test.each([
    ['without prefixes', { prefixes: [] }, 'prefixes is empty'],
    ['with host bits', { prefixes: ['198.51.100.1/29'] }, 'write 198.51.100.0/29'],
    ['with two prefixes that overlap', { prefixes: ['198.51.100.0/29', '198.51.100.0/30'] }, 'overlap'],
    ['as an underlay without partition', { type: Type.UNDERLAY }, 'belongs to a partition'],
    ['as a super network without default length', { type: Type.SUPER }, 'default_child_prefix_length.ipv4 is missing'],
    ['with a length for children that it has not', { defaultChildPrefixLength: { ipv4: 30 } }, 'is for super networks'],
    [
      'with a least length for children that it has not',
      { minChildPrefixLength: { ipv4: 30 } },
      'min_child_prefix_length is',
    ],
    ['with a parent', { parentNetwork: 'x1' }, 'has no parent_network'],
    ['with a length of its own', { length: { ipv4: 29 } }, 'length is for children: give prefixes'],
    ['with host bits in what lies behind it', { destinationPrefixes: ['192.0.2.1/24'] }, 'destination_prefixes[0]'],
    [
      'with host bits in what it announces',
      { additionalAnnouncableCidrs: ['192.0.2.1/24'] },
      'additional_announcable_cidrs[0]',
    ],
    ['without a type', { type: Type.UNSPECIFIED }, 'type'],
    [
      'as an underlay with NAT',
      { type: Type.UNDERLAY, partition: 'lab', natType: apiV2.NATType.NAT_TYPE_IPV4_MASQUERADE },
      'an underlay has no NAT',
    ],
    ['in a partition that is not there', { partition: 'nowhere' }, 'no partition "nowhere"'],
    ['of a project that is not there', { project: machineA }, `no project "${machineA}"`],
  ])('%s is refused', async (_name, change, words) => {
    await using rig = await startRig();
    const { admin } = await lab(rig);
    expect((await failure(admin.create({ ...internet, ...change }))).message).toContain(words);
  });

  test('is of no project when children are made of it, and the only underlay of its partition', async () => {
    await using rig = await startRig();
    const { admin, a } = await lab(rig);
    expect((await failure(admin.create({ ...tenantSuper, project: a }))).message).toContain('its children do');
    await admin.create({ id: 'fabric', type: Type.UNDERLAY, partition: 'lab', prefixes: ['10.255.0.0/24'] });
    const second = admin.create({ id: 'more', type: Type.UNDERLAY, partition: 'lab', prefixes: ['10.254.0.0/24'] });
    expect((await failure(second)).message).toContain('has the underlay "fabric" already');
  });

  test('keeps what it was made of', async () => {
    await using rig = await startRig();
    const { admin, a } = await lab(rig);
    const wish = {
      ...internet,
      name: 'Internet',
      description: 'two carriers',
      partition: 'lab',
      project: a,
      labels: { labels: { carrier: 'both' } },
      natType: apiV2.NATType.NAT_TYPE_IPV4_MASQUERADE,
      additionalAnnouncableCidrs: ['192.0.2.0/24'],
      vrf: 7,
    };
    await admin.create(wish);
    const { labels, ...others } = wish;
    expect((await admin.get({ id: 'internet' })).network).toMatchObject({ ...others, meta: { labels } });
    await admin.create({ ...tenantSuper });
    const { defaultChildPrefixLength, minChildPrefixLength } = tenantSuper;
    const { network } = await admin.get({ id: 'super' });
    expect(network).toMatchObject({ defaultChildPrefixLength, minChildPrefixLength });
    expect([network?.vrf, network?.natType]).toEqual([undefined, apiV2.NATType.NAT_TYPE_NONE]);
  });

  test('stays while a machine is in it', async () => {
    await using rig = await startRig();
    const { admin, a } = await lab(rig);
    await admin.create(internet);
    const allocation = { project: a, name: 'web', networks: [{ network: 'internet' }] };
    await rig.plane.stores.machines.put(machineA, create(apiV2.MachineSchema, { uuid: machineA, allocation }));
    expect((await failure(admin.delete({ id: 'internet' }))).message).toContain('has 1 machines: delete those first');
    const elsewhere = { ...allocation, hostname: 'internet', networks: [{ network: 'other' }] };
    await rig.plane.stores.machines.put(
      machineA,
      create(apiV2.MachineSchema, { uuid: machineA, allocation: elsewhere }),
    );
    await admin.delete({ id: 'internet' });
    // Its prefix and its VRF are free again.
    await admin.create({ ...internet, id: 'next' });
  });

  test('keeps prefixes that are in use', async () => {
    await using rig = await startRig();
    const { admin, ips, networks, a } = await lab(rig);
    await admin.create(internet);
    await ips.create({ project: a, network: 'internet', ip: '198.51.100.4' });
    const change = { id: 'internet', updateMeta: SERVER };
    expect((await failure(admin.update({ ...change, prefixes: ['198.51.100.8/29'], force: true }))).message).toContain(
      '198.51.100.4 is in use',
    );
    const { network } = await admin.update({ ...change, prefixes: ['198.51.100.0/29', '203.0.113.0/28'] });
    expect(network?.consumption?.ipv4).toMatchObject({ availableIps: 20n, usedIps: 1n });
    expect((await failure(admin.delete({ id: 'internet' }))).message).toContain('has 1 addresses');
    await admin.create(tenantSuper);
    await networks.create({ project: a, partition: 'lab', addressFamily: Families.V4 });
    expect(
      (
        await failure(
          admin.update({
            id: 'super',
            updateMeta: SERVER,
            prefixes: ['10.16.0.0/20'],
            defaultChildPrefixLength: { ipv4: 22 },
          }),
        )
      ).message,
    ).toContain('a child has 10.0.0.0/22');
    expect((await failure(admin.delete({ id: 'super' }))).message).toContain('has 1 children');
  });

  test('has the VRF that it asks for, once', async () => {
    await using rig = await startRig();
    const { admin } = await lab(rig);
    await admin.create({ ...internet, vrf: 104_009 });
    const twin = admin.create({ ...internet, id: 'second', prefixes: ['203.0.113.0/28'], vrf: 104_009 });
    expect(await failure(twin)).toMatchObject({
      code: Code.AlreadyExists,
      message: expect.stringContaining('leave it out'),
    });
  });
});

describe('an address', () => {
  test('is unique, however many are taken at once', async () => {
    await using rig = await startRig();
    const { admin, ips, adminIps, a, b } = await lab(rig);
    await admin.create({ ...internet, prefixes: ['198.51.100.0/26'] });
    const wishes = Array.from({ length: 80 }, (_, index) =>
      ips.create({ project: index % 2 === 0 ? a : b, network: 'internet' }),
    );
    const taken = (await Promise.allSettled(wishes)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value.ip?.ip] : [],
    );
    expect(taken).toHaveLength(62);
    expect(new Set(taken).size).toBe(62);
    expect((await adminIps.list({})).ips).toHaveLength(62);
    expect((await failure(ips.create({ project: a, network: 'internet' }))).code).toBe(Code.ResourceExhausted);
  });

  test('is given once, and taken back', async () => {
    await using rig = await startRig();
    const { admin, ips, a, b } = await lab(rig);
    await admin.create(internet);
    await ips.create({ project: a, network: 'internet', ip: '198.51.100.2' });
    expect((await failure(ips.create({ project: b, network: 'internet', ip: '198.51.100.2' }))).message).toContain(a);
    expect((await failure(ips.delete({ project: b, ip: '198.51.100.2' }))).code).toBe(Code.NotFound);
    await ips.delete({ project: a, ip: '198.51.100.2' });
    await ips.create({ project: b, network: 'internet', ip: '198.51.100.2' });
  });

  test.each([
    ['outside of the network', { ip: '203.0.113.1' }, 'is not in network "internet"'],
    ['of the network itself', { ip: '198.51.100.0' }, 'network or broadcast'],
    ['of its broadcast', { ip: '198.51.100.7' }, 'network or broadcast'],
    ['of a super network', { network: 'super' }, 'make a child of it'],
    ['of a family that it lacks', { addressFamily: apiV2.IPAddressFamily.IP_ADDRESS_FAMILY_V6 }, 'has no ipv6 prefix'],
  ])('%s is refused', async (_name, change, words) => {
    await using rig = await startRig();
    const { admin, ips, a } = await lab(rig);
    await admin.create(internet);
    await admin.create(tenantSuper);
    expect((await failure(ips.create({ project: a, network: 'internet', ...change }))).message).toContain(words);
  });

  test('comes out of another project’s network only if that is shared', async () => {
    await using rig = await startRig();
    const { admin, ips, networks, a, b } = await lab(rig);
    await admin.create(tenantSuper);
    const own = (await networks.create({ project: a, partition: 'lab' })).network?.id ?? '';
    await admin.create({ id: 'storage', type: Type.CHILD_SHARED, project: a, parentNetwork: 'super' });
    expect((await failure(ips.create({ project: b, network: own }))).code).toBe(Code.NotFound);
    expect((await ips.create({ project: b, network: 'storage' })).ip?.project).toBe(b);
  });

  test('of a machine stays while the machine has it, and a static one stays static', async () => {
    await using rig = await startRig();
    const { admin, ips, a, b } = await lab(rig);
    await admin.create(internet);
    const machine = create(apiV2.MachineSchema, { uuid: machineA, allocation: { project: a, name: 'web' } });
    await rig.plane.stores.machines.put(machineA, machine);
    const { ip } = await ips.create({ project: a, network: 'internet', machine: machineA.toUpperCase() });
    const foreign = ips.create({ project: b, network: 'internet', machine: machineA });
    expect((await failure(foreign)).code).toBe(Code.NotFound);
    const labels = { labels: { [MACHINE_LABEL]: machineA } };
    const labelled = ips.create({ project: b, network: 'internet', labels });
    expect((await failure(labelled)).message).toContain('give machine instead of the label');
    expect(ip?.meta?.labels?.labels).toEqual({ [MACHINE_LABEL]: machineA });
    expect((await ips.list({ project: a, query: { machine: machineA } })).ips).toHaveLength(1);
    const address = { ip: ip?.ip ?? '', project: a };
    expect((await failure(ips.delete(address))).message).toContain('free the machine first');
    const taken = ips.update({ ...address, updateMeta: SERVER, labels: { strategy: { case: 'replace', value: {} } } });
    expect((await failure(taken)).code).toBe(Code.InvalidArgument);
    await ips.update({ ...address, updateMeta: SERVER, type: IPType.IP_TYPE_STATIC });
    const back = ips.update({ ...address, updateMeta: SERVER, type: IPType.IP_TYPE_EPHEMERAL });
    expect((await failure(back)).message).toContain('a promise to keep it');
  });
});
