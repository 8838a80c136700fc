/**
 * What goes into the discovery image, as data. Changing a list here changes the base layer;
 * `node images/build.ts --update-lock` is needed only when a package is added.
 */

import type { Architecture } from './architecture.ts';

/** A Debian package and the files taken from it. Nothing else of a package is copied. */
export interface PackageContents {
  readonly name: string;
  /** Paths inside the package, without the leading slash, as the package spells them. */
  readonly files: readonly string[];
  /** By file: what it is linked with for the sake of functions that nobody calls here; see elf-links.ts. */
  readonly unusedLibraries?: Readonly<Record<string, readonly string[]>>;
}

export const programs: readonly PackageContents[] = [
  { name: 'busybox-static', files: ['bin/busybox'] },
  { name: 'dhcpcd-base', files: ['usr/sbin/dhcpcd'] },
  { name: 'dropbear-bin', files: ['usr/bin/dropbearkey', 'usr/sbin/dropbear'] },
  { name: 'ethtool', files: ['sbin/ethtool'] },
  { name: 'hdparm', files: ['sbin/hdparm'] },
  {
    name: 'lldpd',
    files: ['usr/sbin/lldpd', 'usr/sbin/lldpcli'],
    unusedLibraries: {
      // An SNMP agent is started with `-x`.
      'usr/sbin/lldpd': ['libnetsnmpmibs.so.40', 'libnetsnmpagent.so.40', 'libnetsnmp.so.40'],
      // `-f xml`
      'usr/sbin/lldpcli': ['libxml2.so.2'],
    },
  },
  {
    name: 'nvme-cli',
    files: ['usr/sbin/nvme'],
    // Management interfaces behind a bus of the BMC (MCTP), through D-Bus.
    unusedLibraries: { 'usr/sbin/nvme': ['libnvme-mi.so.1'] },
  },
  { name: 'pci.ids', files: ['usr/share/misc/pci.ids'] },
  { name: 'sg3-utils', files: ['usr/bin/sg_opcodes', 'usr/bin/sg_sanitize'] },
  {
    name: 'smartmontools',
    files: ['usr/sbin/smartctl'],
    // For updating its list of drives, through a child that keeps its security context.
    unusedLibraries: { 'usr/sbin/smartctl': ['libselinux.so.1'] },
  },
  { name: 'util-linux', files: ['sbin/blkdiscard'] },
];

/** Packages that only lend shared libraries: which files is decided by the programs' DT_NEEDED entries. */
export const libraryPackages: readonly string[] = [
  'libatomic1',
  'libblkid1',
  'libbsd0',
  'libc6',
  'libcap2',
  'libcrypt1',
  'libevent-2.1-7',
  'libgcc-s1',
  'libgmp10',
  'libjson-c5',
  'libmd0',
  'libmnl0',
  'libnvme1',
  'libreadline8',
  'libselinux1',
  'libsgutils2-1.46-2',
  'libsnmp40',
  'libssl3',
  'libstdc++6',
  'libtinfo6',
  'libtomcrypt1',
  'libtommath1',
  'libxml2',
  'zlib1g',
];

/** Loaded by name lookups at run time, so no DT_NEEDED entry mentions them. */
export const dlopenedLibraries: readonly string[] = ['libnss_files.so.2', 'libnss_dns.so.2'];

/**
 * Modules that a machine in a rack may need before it is known what it is. Their dependencies come along.
 * A name that the kernel has built in is skipped, a name that it does not know is an error.
 *
 * Not here, on purpose: Fibre Channel and iSCSI (what they lead to may be another machine's disk), USB storage (sticks and
 * the BMC's virtual media), file systems, RAID and LVM (nothing here mounts or assembles anything).
 */
const commonModules: readonly string[] = [
  // storage
  'nvme',
  'ahci',
  'ata_generic',
  'sata_mv',
  'sata_sil24',
  'sd_mod',
  'sg',
  'aacraid',
  'hpsa',
  'megaraid_sas',
  'mpi3mr',
  'mpt3sas',
  'mvsas',
  'pm80xx',
  'smartpqi',
  'virtio_blk',
  'virtio_scsi',
  // network
  'virtio_net',
  'amd_xgbe',
  'atlantic',
  'bnxt_en',
  'cxgb4',
  'e1000e',
  'ena',
  'enic',
  'hinic',
  'i40e',
  'iavf',
  'ice',
  'igb',
  'igc',
  'ixgbe',
  'ixgbevf',
  'mlx4_core',
  'mlx4_en',
  'mlx5_core',
  'r8169',
  'sfc',
  'tg3',
  'af_packet',
  '8021q',
  // InfiniBand: names the ports of a GPU server's fabric
  'mlx5_ib',
  'ib_ipoib',
  // the BMC's own network card, a USB device: Redfish's host interface
  'xhci_pci',
  'cdc_ether',
  'cdc_ncm',
  'rndis_host',
  // platform
  'virtio_pci',
  'virtio_rng',
  'ipmi_si',
  'ipmi_devintf',
  'ipmi_ssif',
  'ipmi_watchdog',
  'softdog',
  'efivarfs',
];

const modulesByArchitecture: Readonly<Record<Architecture, readonly string[]>> = {
  amd64: [
    '3w_9xxx',
    '3w_sas',
    'arcmsr',
    'ata_piix',
    'isci',
    'mptsas',
    'mptspi',
    'vmd',
    'vmw_pvscsi',
    'be2net',
    'e1000',
    'vmxnet3',
    'ehci_pci',
    'hpwdt',
    'i2c_i801',
    'i2c_piix4',
    'i6300esb',
    // The watchdog of boards before Skylake hangs on it.
    'lpc_ich',
    'iTCO_wdt',
    'sp5100_tco',
    'tpm_crb',
    'tpm_tis',
    'wdat_wdt',
  ],
  arm64: [
    'ahci_platform',
    'hisi_sas_v3_hw',
    'fsl_dpaa2_eth',
    'fsl_enetc',
    'hns3',
    'hclge',
    'mvneta',
    'mvpp2',
    'nicvf',
    'xgene_enet',
    'i2c_designware_platform',
    'sbsa_gwdt',
    'tpm_crb',
    'virtio_mmio',
  ],
};

/**
 * Drivers of cards that do nothing without firmware, which is in Debian's non-free-firmware and so not in the image:
 * in only when the build is given a folder with it.
 */
const firmwareModules: readonly string[] = ['bnx2', 'bnx2x', 'nfp', 'qede'];

export function modulesFor(architecture: Architecture, withFirmware: boolean): readonly string[] {
  return [...commonModules, ...modulesByArchitecture[architecture], ...(withFirmware ? firmwareModules : [])];
}

/** busybox applets that get a symlink. */
export const applets: readonly string[] = [
  '[',
  'ash',
  'awk',
  'basename',
  'blockdev',
  'cat',
  'chmod',
  'chown',
  'cp',
  'cut',
  'date',
  'dirname',
  'dmesg',
  'env',
  'expr',
  'false',
  'find',
  'free',
  'grep',
  'head',
  'hexdump',
  'hwclock',
  'ifconfig',
  'insmod',
  'ip',
  'kill',
  'ln',
  'ls',
  'lsmod',
  'md5sum',
  'mkdir',
  'mknod',
  'mktemp',
  'modprobe',
  'mount',
  'mv',
  'nslookup',
  'ping',
  'printf',
  'ps',
  'readlink',
  'realpath',
  'rm',
  'rmdir',
  'sed',
  'seq',
  'setsid',
  'sh',
  'sha256sum',
  'sleep',
  'sort',
  'stty',
  'sync',
  'sysctl',
  'tail',
  'tee',
  'test',
  'timeout',
  'touch',
  'tr',
  'true',
  'udhcpc',
  'umount',
  'uname',
  'uniq',
  'uptime',
  'vi',
  'wc',
  'wget',
  'xargs',
];

/** Small files of /etc. `_lldpd` is the user that lldpd drops to. */
export const etcFiles: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/false\n_lldpd:x:100:100::/run/lldpd:/bin/false\n',
  'etc/group': 'root:x:0:\n_lldpd:x:100:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/os-release': 'ID=ingot-discovery\nNAME="Ingot discovery image"\n',
};

export const directories: readonly string[] = [
  'dev',
  'etc',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'usr',
  'usr/bin',
  'usr/lib',
  'usr/lib64',
  'usr/sbin',
  'usr/share',
  'usr/share/misc',
  'var',
];

/** Merged /usr, as Debian has it. */
export const symlinks: Readonly<Record<string, string>> = {
  bin: 'usr/bin',
  lib: 'usr/lib',
  lib64: 'usr/lib64',
  sbin: 'usr/sbin',
  'var/run': '../run',
  'etc/resolv.conf': '../run/ingot/resolv.conf',
  // Where the kernel looks for it when somebody asks for a VLAN.
  'usr/sbin/modprobe': '../bin/busybox',
};
