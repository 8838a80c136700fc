import { adminV2, apiV2, Code, create, createClient, type MessageInitShape } from '@ingot/api';
import { expect, test } from 'vitest';
import { failure, startRig } from '../support.ts';

const { MachineAllocationType: Role } = apiV2;
const machineId = (index: number): string => `aaaaaaaa-0000-4000-8000-00000000000${index}`;
const PROJECT = '11111111-0000-4000-8000-000000000001';
const GIB = 2n ** 30n;

/** Fits machine 1 in everything, and machine 2, which nobody has, in nothing. */
const queries: Readonly<Record<string, MessageInitShape<typeof apiV2.MachineQuerySchema>>> = {
  'uuid in capitals': { uuid: machineId(1).toUpperCase() },
  name: { name: 'web' },
  partition: { partition: 'lab' },
  rack: { rack: 'r1' },
  'label of the machine': { labels: { labels: { row: '7' } } },
  'label of the allocation': { labels: { labels: { tier: 'web' } } },
  'not free': { notAllocated: false },
  allocation: {
    allocation: { name: 'web', project: PROJECT.toUpperCase(), hostname: 'web01', allocationType: Role.MACHINE },
  },
  image: { allocation: { image: 'debian-12.0.1' } },
  'filesystem layout': { allocation: { filesystemLayout: 'default' } },
  'labels of the allocation': { allocation: { labels: { labels: { tier: 'web' } } } },
  network: { network: { networks: ['net-a', 'internet'], asns: [4_210_000_001] } },
  addresses: {
    network: { ips: ['10.0.0.1'], prefixes: ['10.0.0.0/24'], destinationPrefixes: ['0.0.0.0/0'], vrfs: [7n] },
  },
  nic: { nic: { macs: ['52:54:00:AA:00:01'], names: ['eth0'], neighborNames: ['Ethernet0'] } },
  disk: { disk: { names: ['/dev/sda'], sizes: [10n * GIB] } },
  hardware: { hardware: { memory: 64n * GIB, cpuCores: 24 } },
  'BMC with port': { bmc: { address: '10.9.0.1:623', user: 'root' } },
  'BMC without port': { bmc: { address: '10.9.0.1', mac: '52:54:00:00:00:AA', interface: 'lanplus' } },
  FRU: { fru: { productSerial: 'S1', boardSerial: 'B1', chassisPartSerial: 'C1' } },
  several: { partition: 'lab', hardware: { cpuCores: 24 }, fru: { productManufacturer: 'Acme' }, preallocated: false },
};

test('a machine is found by everything that a query can name, and no other one is', async () => {
  await using rig = await startRig();
  const { machines, bmcs } = rig.plane.stores;
  await machines.put(
    machineId(1),
    create(apiV2.MachineSchema, {
      uuid: machineId(1),
      partition: { id: 'lab' },
      rack: 'r1',
      meta: { labels: { labels: { row: '7' } } },
      hardware: {
        memory: 64n * GIB,
        cpus: [{ cores: 16 }, { cores: 8 }],
        disks: [
          { name: '/dev/sda', size: 10n * GIB },
          { name: '/dev/sdb', size: 20n * GIB },
        ],
        nics: [{ mac: '52:54:00:aa:00:01', name: 'eth0', neighbors: [{ name: 'Ethernet0' }] }],
      },
      allocation: {
        name: 'web',
        hostname: 'web01',
        project: PROJECT,
        image: { id: 'debian-12.0.1' },
        filesystemLayout: { id: 'default' },
        allocationType: Role.MACHINE,
        meta: { labels: { labels: { tier: 'web' } } },
        networks: [
          { network: 'net-a', ips: ['10.0.0.1'], prefixes: ['10.0.0.0/24'], vrf: 7n, asn: 4_210_000_001 },
          { network: 'internet', destinationPrefixes: ['0.0.0.0/0'] },
        ],
      },
    }),
  );
  await bmcs.put(
    machineId(1),
    create(apiV2.MachineBMCReportSchema, {
      bmc: { address: '10.9.0.1:623', mac: '52:54:00:00:00:aa', user: 'root', interface: 'lanplus' },
      fru: { productSerial: 'S1', productManufacturer: 'Acme', boardMfgSerial: 'B1', chassisPartSerial: 'C1' },
    }),
  );
  await machines.put(machineId(2), create(apiV2.MachineSchema, { uuid: machineId(2), partition: { id: 'other' } }));
  const admin = createClient(adminV2.MachineService, rig.admin);
  const found = async (query: MessageInitShape<typeof apiV2.MachineQuerySchema>): Promise<string[]> =>
    (await admin.list({ query })).machines.map(({ uuid }) => uuid);
  for (const [name, query] of Object.entries(queries)) expect(await found(query), name).toEqual([machineId(1)]);
  expect(await found({})).toHaveLength(2);
  expect(await found({ notAllocated: true })).toEqual([machineId(2)]);
  for (const query of [
    { hardware: { cpuCores: 16 } },
    { disk: { names: ['/dev/sda', '/dev/sdc'] } },
    { network: { ips: ['10.0.0.2'] } },
    { bmc: { address: '10.9.0' } },
    { fru: { productSerial: '' } },
    { allocation: { name: 'web', hostname: 'web02' } },
    { preallocated: true },
    { waiting: true },
  ])
    expect(await found(query), JSON.stringify(query)).toEqual([]);
  expect((await failure(found({ allocation: { vpn: {} } }))).code).toBe(Code.Unimplemented);
});
