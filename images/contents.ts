/**
 * What goes into the discovery image, as data. Changing a list here changes the base layer;
 * `node images/build.ts --update-lock` is needed only when a package is added.
 */

/** A Debian package and the files taken from it. Nothing else of a package is copied. */
export interface PackageContents {
  readonly name: string;
  /** Paths inside the package, without the leading slash, as the package spells them. */
  readonly files: readonly string[];
}

/** The metapackage whose dependency names the kernel to use. */
export const kernelMetapackage = 'linux-image-amd64';

export const programs: readonly PackageContents[] = [
  { name: 'busybox-static', files: ['bin/busybox'] },
  { name: 'ethtool', files: ['sbin/ethtool'] },
  { name: 'hdparm', files: ['sbin/hdparm'] },
  { name: 'ipmitool', files: ['usr/bin/ipmitool'] },
  { name: 'lldpd', files: ['usr/sbin/lldpd', 'usr/sbin/lldpcli'] },
  { name: 'nvme-cli', files: ['usr/sbin/nvme'] },
  { name: 'pci.ids', files: ['usr/share/misc/pci.ids'] },
  { name: 'sg3-utils', files: ['usr/bin/sg_opcodes', 'usr/bin/sg_sanitize'] },
  { name: 'util-linux', files: ['bin/lsblk', 'sbin/blkdiscard', 'sbin/blkid', 'sbin/wipefs'] },
];

/** Packages that only lend shared libraries: which files is decided by the programs' DT_NEEDED entries. */
export const libraryPackages: readonly string[] = [
  'libatomic1',
  'libblkid1',
  'libbsd0',
  'libc6',
  'libcap2',
  'libcom-err2',
  'libcrypt1',
  'libdbus-1-3',
  'libevent-2.1-7',
  'libfreeipmi17',
  'libgcc-s1',
  'libgcrypt20',
  'libgpg-error0',
  'libgssapi-krb5-2',
  'libicu72',
  'libjson-c5',
  'libk5crypto3',
  'libkeyutils1',
  'libkrb5-3',
  'libkrb5support0',
  'liblz4-1',
  'liblzma5',
  'libmd0',
  'libmnl0',
  'libmount1',
  'libnsl2',
  'libnvme1',
  'libpci3',
  'libpcre2-8-0',
  'libperl5.36',
  'libreadline8',
  'libselinux1',
  'libsensors5',
  'libsgutils2-1.46-2',
  'libsmartcols1',
  'libsnmp40',
  'libssl3',
  'libstdc++6',
  'libsystemd0',
  'libtinfo6',
  'libtirpc3',
  'libudev1',
  'libwrap0',
  'libxml2',
  'libzstd1',
  'zlib1g',
];

/** Loaded by name lookups at run time, so no DT_NEEDED entry mentions them. */
export const dlopenedLibraries: readonly string[] = ['libnss_files.so.2', 'libnss_dns.so.2'];

/**
 * Modules that a machine in a rack may need before it is known what it is. Their dependencies come along.
 * A name that the kernel has built in is skipped, a name that it does not know is an error.
 */
export const modules: readonly string[] = [
  // storage
  'nvme',
  'ahci',
  'ata_piix',
  'sd_mod',
  'megaraid_sas',
  'mpt3sas',
  'virtio_blk',
  'virtio_scsi',
  // network
  'virtio_net',
  'e1000',
  'e1000e',
  'igb',
  'ixgbe',
  'i40e',
  'ice',
  'mlx4_core',
  'mlx4_en',
  'mlx5_core',
  'bnxt_en',
  'tg3',
  'r8169',
  'af_packet',
  // platform
  'virtio_pci',
  'virtio_rng',
  'ipmi_si',
  'ipmi_devintf',
  'ipmi_ssif',
  'ipmi_watchdog',
  'iTCO_wdt',
  'softdog',
  'i2c_i801',
  'efivarfs',
  'tpm_tis',
  'tpm_crb',
];

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
};
