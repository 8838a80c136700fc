import type { Tree } from './tree.ts';

export interface CpuShape {
  readonly sockets: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  readonly vendor: string;
  readonly model: string;
}

/** Logical processors numbered as Linux does: first threads of all cores, then their siblings. */
function cpuTree({ sockets, coresPerSocket, threadsPerCore, vendor, model }: CpuShape): Tree {
  const cores = sockets * coresPerSocket;
  const tree: Record<string, string> = {};
  const cpuinfo: string[] = [];
  for (let number = 0; number < cores * threadsPerCore; number++) {
    const core = number % cores;
    const directory = `/sys/devices/system/cpu/cpu${number}`;
    tree[`${directory}/topology/physical_package_id`] = `${Math.floor(core / coresPerSocket)}\n`;
    tree[`${directory}/topology/core_id`] = `${core % coresPerSocket}\n`;
    if (number > 0) tree[`${directory}/online`] = '1\n';
    cpuinfo.push(`processor\t: ${number}\nvendor_id\t: ${vendor}\nmodel name\t: ${model}\n`);
  }
  return { ...tree, '/proc/cpuinfo': cpuinfo.join('\n') };
}

function memoryTree(blocks: number, blockBytes: number): Tree {
  const tree: Record<string, string> = {
    '/sys/devices/system/memory/block_size_bytes': `${blockBytes.toString(16)}\n`,
  };
  for (let block = 0; block < blocks; block++) tree[`/sys/devices/system/memory/memory${block}/state`] = 'online\n';
  return tree;
}

function pciTree(address: string, vendor: number, device: number, classId: number): Tree {
  const directory = `/sys/devices/pci0000:00/${address}`;
  const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}\n`;
  return {
    [`${directory}/vendor`]: hex(vendor),
    [`${directory}/device`]: hex(device),
    [`${directory}/class`]: `0x${classId.toString(16).padStart(4, '0')}00\n`,
    [`/sys/bus/pci/devices/${address}`]: { link: `../../../devices/pci0000:00/${address}` },
  };
}

function nvmeTree(number: number, model: string, serial: string, firmware: string, sizeBytes: number): Tree {
  const controller = `/sys/devices/pci0000:00/nvme/nvme${number}`;
  const namespace = `${controller}/nvme${number}n1`;
  return {
    [`${controller}/model`]: `${model.padEnd(40)}\n`,
    [`${controller}/serial`]: `${serial.padEnd(20)}\n`,
    [`${controller}/firmware_rev`]: `${firmware}\n`,
    [`${controller}/state`]: 'live\n',
    [`${namespace}/size`]: `${sizeBytes / 512}\n`,
    [`${namespace}/removable`]: '0\n',
    [`${namespace}/hidden`]: '0\n',
    [`${namespace}/wwid`]: `eui.00253858${number.toString(16).padStart(8, '0')}\n`,
    [`${namespace}/queue/rotational`]: '0\n',
    [`${namespace}/device`]: { link: '..' },
    [`/sys/block/nvme${number}n1`]: { link: `../devices/pci0000:00/nvme/nvme${number}/nvme${number}n1` },
  };
}

/** A NIC below the PCI device `address`, which `pciTree` makes. */
function nicTree(name: string, address: string, mac: string, driver: string, megabits: number): Tree {
  const device = `/sys/devices/pci0000:00/${address}`;
  const directory = `${device}/net/${name}`;
  return {
    [`${directory}/address`]: `${mac}\n`,
    [`${directory}/addr_assign_type`]: '0\n',
    [`${directory}/type`]: '1\n',
    [`${directory}/speed`]: `${megabits}\n`,
    [`${directory}/carrier`]: megabits > 0 ? '1\n' : '0\n',
    [`${directory}/device`]: { link: '../..' },
    [`${device}/driver`]: { link: `../../../bus/pci/drivers/${driver}` },
    [`/sys/class/net/${name}`]: { link: `../../devices/pci0000:00/${address}/net/${name}` },
  };
}

/** Excerpt of pci.ids in its own format. */
const pciIds = `# List of PCI ID's
1022  Advanced Micro Devices, Inc. [AMD]
\t1480  Starship/Matisse Root Complex
10de  NVIDIA Corporation
\t2330  GH100 [H100 SXM5 80GB]
\t\t10de 16c1  H100 SXM5 80GB
\t26b1  AD102GL [RTX 6000 Ada Generation]
15b3  Mellanox Technologies
\t1017  MT27800 Family [ConnectX-5]
1a03  ASPEED Technology, Inc.
\t2000  ASPEED Graphics Family
ffff  Illegal Vendor ID
C 00  Unclassified device
\t10  Not a device
`;

export const uuid = '4c4c4544-0042-3510-8052-b4c04f4e3332';

/** AMD EPYC 9354P with two H100, four NVMe disks, a ConnectX-5 and the BMC's display. */
export const epyc: Tree = {
  ...cpuTree({
    sockets: 1,
    coresPerSocket: 32,
    threadsPerCore: 2,
    vendor: 'AuthenticAMD',
    model: 'AMD EPYC 9354P 32-Core Processor',
  }),
  ...memoryTree(192, 2 ** 31),
  ...pciTree('0000:01:00.0', 0x15b3, 0x1017, 0x0200),
  ...pciTree('0000:01:00.1', 0x15b3, 0x1017, 0x0200),
  ...pciTree('0000:41:00.0', 0x10de, 0x2330, 0x0302),
  ...pciTree('0000:c1:00.0', 0x10de, 0x2330, 0x0302),
  ...pciTree('0000:c3:00.0', 0x1a03, 0x2000, 0x0300),
  ...nicTree('eth0', '0000:01:00.0', '0c:42:a1:00:00:10', 'mlx5_core', 100_000),
  ...nicTree('eth1', '0000:01:00.1', '0c:42:a1:00:00:11', 'mlx5_core', -1),
  ...Object.assign(
    {},
    ...[0, 1, 2, 10].map((number) =>
      nvmeTree(number, 'SAMSUNG MZQL23T8HCLS-00A07', `S64HNE0T1000${number}`, 'GDC5602Q', 3_840_755_982_336),
    ),
  ),
  '/sys/block/loop0/size': '2048\n',
  '/sys/block/sr0/size': '2097151\n',
  '/sys/block/md127/size': '1000\n',
  '/sys/block/dm-0/size': '1000\n',
  '/sys/block/sdz/size': '1000\n',
  '/sys/block/sdz/removable': '1\n',
  '/sys/class/dmi/id/product_uuid': `${uuid.toUpperCase()}\n`,
  '/sys/class/dmi/id/product_serial': 'S432871X1A11234\n',
  '/sys/class/dmi/id/sys_vendor': 'Supermicro\n',
  '/sys/class/dmi/id/product_name': 'AS-1115HS-TNR\n',
  '/sys/class/dmi/id/bios_vendor': 'American Megatrends International, LLC.\n',
  '/sys/class/dmi/id/bios_version': '1.6\n',
  '/sys/class/dmi/id/bios_date': '12/20/2023\n',
  '/sys/firmware/efi/runtime': '0x0\n',
  '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c': Buffer.from([6, 0, 0, 0, 1]),
  '/usr/share/misc/pci.ids': pciIds,
};

/** Two Xeon Gold 6230, SATA disk and a virtual function that is not a port of its own. */
export const twoSockets: Tree = {
  ...cpuTree({
    sockets: 2,
    coresPerSocket: 20,
    threadsPerCore: 2,
    vendor: 'GenuineIntel',
    model: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz',
  }),
  '/proc/meminfo': 'MemTotal:       394867456 kB\n',
  '/sys/block/sda/size': '1875385008\n',
  '/sys/block/sda/device/model': 'INTEL SSDSC2KB96\n',
  '/sys/block/sda/device/rev': '0132\n',
  '/sys/block/sda/device/vpd_pg80': Buffer.concat([Buffer.from([0, 0x80, 0, 18]), Buffer.from('PHYF123400AB960CGN')]),
  '/sys/class/net/eth0/address': '3c:fd:fe:00:00:01\n',
  '/sys/class/net/eth0/type': '1\n',
  '/sys/class/net/eth0/addr_assign_type': '0\n',
  '/sys/class/net/eth0/device/driver': { link: '/sys/bus/pci/drivers/i40e' },
  '/sys/class/net/eth5/address': '3c:fd:fe:00:00:05\n',
  '/sys/class/net/eth5/type': '1\n',
  '/sys/class/net/eth5/device/physfn': '',
  '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
  '/sys/class/dmi/id/product_uuid': '00000000-0000-0000-0000-000000000000\n',
  '/sys/class/dmi/id/product_serial': `${uuid}\n`,
};
