import { expect, test } from 'vitest';
import { inventoryLines } from '../src/inventory-text.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import type { Inventory } from '../src/inventory/inventory.ts';
import { readPorts } from '../src/inventory/nics/ports.ts';
import { registerRequest } from '../src/life/register-request.ts';
import { openSysfs } from '../src/sysfs.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

function inventoryOf(tree: Tree): Inventory {
  using machine = plant(tree);
  return takeInventory(openSysfs(machine.root));
}

const adapter = '/sys/devices/pci0000:16/0000:16:02.0/0000:17:00.0';

/** A PCI function with an interface on it. */
function nic(device: string, name: string, files: Readonly<Record<string, string>>, driver = 'ice'): Tree {
  const directory = `${device}/net/${name}`;
  const tree: Record<string, string> = {};
  for (const [file, content] of Object.entries(files)) tree[`${directory}/${file}`] = `${content}\n`;
  return {
    [`${directory}/type`]: '1\n',
    [`${directory}/address`]: '3c:ec:ef:00:00:01\n',
    ...tree,
    [`${directory}/device`]: { link: '../..' },
    [`${device}/driver`]: { link: `../../../bus/pci/drivers/${driver}` },
    [`/sys/class/net/${name}`]: { link: `../../..${directory}` },
  };
}

function pci(device: string, files: Readonly<Record<string, string>>): Tree {
  const all = { vendor: '0x8086', device: '0x1593', class: '0x020000', ...files };
  return Object.fromEntries(Object.entries(all).map(([file, content]) => [`${device}/${file}`, `${content}\n`]));
}

const e810 = {
  ...pci(adapter, {
    subsystem_vendor: '0x15d9',
    subsystem_device: '0x1c5b',
    numa_node: '1',
    sriov_totalvfs: '128',
    sriov_numvfs: '2',
  }),
  '/usr/share/misc/pci.ids': '8086  Intel Corporation\n\t1593  Ethernet Controller E810-C for SFP\n',
};

test('a NIC is told with its PCI device, NUMA node, virtual functions, MTU and speed', () => {
  const files = { address: '3C:EC:EF:00:00:01', addr_assign_type: '0', speed: '25000', carrier: '1', mtu: '9000' };
  expect(inventoryOf({ ...e810, ...nic(adapter, 'eth0', files) }).nics).toEqual([
    {
      name: 'eth0',
      link: 'ethernet',
      carrier: true,
      towardsBmc: false,
      mac: '3c:ec:ef:00:00:01',
      macIsPermanent: true,
      guid: '',
      driver: 'ice',
      firmware: '',
      vendor: 'Intel Corporation',
      model: 'Ethernet Controller E810-C for SFP',
      pci: {
        address: '0000:17:00.0',
        vendorId: 0x8086,
        deviceId: 0x1593,
        subsystemVendorId: 0x15d9,
        subsystemDeviceId: 0x1c5b,
        numaNode: 1,
        sriov: { totalVfs: 128, vfs: 2 },
      },
      speedBitsPerSecond: 25_000_000_000,
      mtu: 9000,
    },
  ]);
});

test('a speed of 2^32-1 and a node of -1 are unknown', () => {
  const [only] = inventoryOf({
    ...pci(adapter, { numa_node: '-1' }),
    ...nic(adapter, 'eth0', { speed: '4294967295', carrier: '1' }),
  }).nics;
  expect(only).toMatchObject({ speedBitsPerSecond: 0, pci: { numaNode: undefined, sriov: { totalVfs: 0, vfs: 0 } } });
});

test('a port of a bond keeps its own address', () => {
  const [only] = inventoryOf({
    ...nic(adapter, 'eth1', {
      address: '3c:ec:ef:00:00:01',
      addr_assign_type: '3',
      'bonding_slave/perm_hwaddr': '3c:ec:ef:00:00:02',
    }),
  }).nics;
  expect(only).toMatchObject({ mac: '3c:ec:ef:00:00:02', macIsPermanent: true });
});

test('an interface without a device, or with that of another, is no NIC', () => {
  const subfunction = `${adapter}/mlx5_core.sf.4`;
  const { nics } = inventoryOf({
    ...nic(adapter, 'eth0', { phys_port_name: 'p0' }),
    ...nic(adapter, 'eth1', { phys_port_name: 'pf0vf3' }),
    ...nic(adapter, 'eth2', { phys_port_name: 'c1pf0sf88' }),
    ...nic(subfunction, 'eth3', {}),
    ...nic('/sys/devices/pci0000:16/0000:17:00.2', 'eth4', {}),
    '/sys/devices/pci0000:16/0000:17:00.2/physfn/vendor': '0x8086\n',
    '/sys/class/net/bond0/type': '1\n',
    '/sys/class/net/bond0/address': '3c:ec:ef:00:00:01\n',
    '/sys/class/net/bond0/bonding/mode': '802.3ad 4\n',
    '/sys/class/net/eth0.100/type': '1\n',
    '/sys/class/net/eth0.100/address': '3c:ec:ef:00:00:01\n',
    '/sys/class/net/wg0/type': '65534\n',
    '/sys/class/net/lo/type': '772\n',
    '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
  });
  expect(nics.map(({ name }) => name)).toEqual(['eth0']);
});

const ipoib = '80:00:02:08:fe:80:00:00:00:00:00:00:b8:ce:f6:03:00:12:34:56';
const infiniband: Tree = {
  ...nic(adapter, 'ib0', { type: '32', address: ipoib, carrier: '1', mtu: '2044' }, 'mlx5_core'),
  ...nic(adapter, 'ib0.8001', { type: '32', address: ipoib, parent: 'ib0' }, 'mlx5_core'),
  ...pci(adapter, { vendor: '0x15b3', device: '0x1021' }),
  [`${adapter}/infiniband/mlx5_0/fw_ver`]: '28.39.1002\n',
  ...Object.fromEntries(
    [0, 1].flatMap((number) => {
      const port = `/sys/class/infiniband/mlx5_${number}/ports/1`;
      return [
        [`${port}/link_layer`, 'InfiniBand\n'],
        [`${port}/state`, '4: ACTIVE\n'],
        [`${port}/rate`, '400 Gb/sec (4X NDR)\n'],
        [`${port}/gids/0`, `fe80:0000:0000:0000:b8ce:f603:0012:345${6 + number}\n`],
      ];
    }),
  ),
  '/sys/class/infiniband/mlx5_2/ports/1/link_layer': 'Ethernet\n',
};

test('InfiniBand ports are known by their GUID, with or without an interface', () => {
  expect(inventoryOf(infiniband).nics).toMatchObject([
    { name: 'ib0', link: 'infiniband', mac: '', guid: 'b8:ce:f6:03:00:12:34:56', firmware: '28.39.1002', mtu: 2044 },
    {
      name: 'mlx5_1/1',
      link: 'infiniband',
      mac: '',
      guid: 'b8:ce:f6:03:00:12:34:57',
      carrier: true,
      speedBitsPerSecond: 400_000_000_000,
    },
  ]);
});

test('ports without a MAC, and the wire to the BMC, are told to people but not registered', () => {
  const usb = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-14';
  const inventory = inventoryOf({
    ...infiniband,
    ...nic('/sys/devices/pci0000:00/0000:00:1f.6', 'eth0', {}),
    ...nic(`${usb}/1-14:2.0`, 'eth1', { address: '02:11:22:33:44:55' }, 'rndis_host'),
    [`${usb}/idVendor`]: '413c\n',
    [`${usb}/product`]: 'iDRAC Virtual NIC USB Device\n',
  });
  expect(inventory.nics.map(({ name, towardsBmc }) => [name, towardsBmc])).toEqual([
    ['eth0', false],
    ['eth1', true],
    ['ib0', false],
    ['mlx5_1/1', false],
  ]);
  const request = registerRequest({
    uuid: '4c4c4544-0042-3510-8052-b4c04f4e3332',
    partition: 'p',
    version: '1',
    inventory,
    neighbors: [],
    bmc: { kind: 'none' },
  });
  expect(request.hardware?.nics?.map(({ name }) => name)).toEqual(['eth0']);
  expect(inventoryLines(inventory, [])).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^ {2}eth1 +02:11:22:33:44:55 +no link +to the BMC, not registered .*rndis_host/),
      expect.stringMatching(/^ {2}ib0 +InfiniBand b8:ce:f6:03:00:12:34:56 +link +not registered .*mlx5_core/),
    ]),
  );
});

test('a USB adapter of a person is a NIC', () => {
  const usb = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3';
  using machine = plant({
    ...nic(`${usb}/1-3:2.0`, 'eth0', {}, 'cdc_ncm'),
    [`${usb}/idVendor`]: '0bda\n',
    [`${usb}/product`]: 'USB 10/100/1G/2.5G LAN\n',
  });
  expect(readPorts(openSysfs(machine.root))).toEqual([
    { name: 'eth0', link: 'ethernet', carrier: false, towardsBmc: false },
  ]);
});
