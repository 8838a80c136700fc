import type { Entropy } from '@ingot/net';

/** What makes a machine itself: all of it drawn by lot, so that whatever the API knows of it came over the wire. */
export interface MachineIdentity {
  readonly name: string;
  /** SMBIOS system UUID, lower case. */
  readonly uuid: string;
  readonly systemSerial: string;
  readonly boardSerial: string;
  readonly nics: readonly [NicIdentity, NicIdentity];
  readonly disks: readonly DiskIdentity[];
  readonly bmc: { readonly address: string; readonly mac: string };
}

export interface NicIdentity {
  readonly mac: string;
  readonly leaf: string;
  readonly port: PortIdentity;
}

/** A front panel port of a leaf, by SONiC's two names. */
export interface PortIdentity {
  /** SONiC port and netdev name, `Ethernet0`, `Ethernet4`, … */
  readonly name: string;
  /** SONiC alias; what lldpd sends as LLDP port id (subtype local). */
  readonly alias: string;
}

export interface DiskIdentity {
  readonly serial: string;
  readonly sizeBytes: number;
}

const serialAlphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789';

export function drawSerial(entropy: Entropy, prefix: string): string {
  return prefix + Array.from({ length: 10 }, () => serialAlphabet.charAt(entropy.int(serialAlphabet.length))).join('');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A version 4 UUID (RFC 9562 §5.4). */
export function drawUuid(entropy: Entropy): string {
  const bytes = entropy.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** 52:54:00 is the block that QEMU's users draw from; the rest is random. */
function drawMac(entropy: Entropy): string {
  return `52:54:00:${hex(entropy.bytes(3)).match(/../g)?.join(':')}`;
}

/** The 32 ports of a leaf with four lanes each; the aliases carry a part drawn for this run. */
export function drawPorts(entropy: Entropy): readonly PortIdentity[] {
  const run = hex(entropy.bytes(2));
  return Array.from({ length: 32 }, (_, index) => ({ name: `Ethernet${index * 4}`, alias: `etp${index + 1}-${run}` }));
}

/** 960 GB as drives are sold (IDEMA LBA1-03). */
const driveSizeBytes = 960_197_124_096;

/**
 * Machine number `index` (from 0) with its two NICs on the same free port of both leaves, as a rack is cabled.
 * `free` loses the port it takes.
 */
export function drawMachine(
  entropy: Entropy,
  index: number,
  leaves: readonly [string, string],
  free: PortIdentity[],
): MachineIdentity {
  const [port] = free.splice(entropy.int(free.length), 1);
  if (port === undefined) throw new RangeError('every port of the leaves is taken');
  return {
    name: `machine${index + 1}`,
    uuid: drawUuid(entropy),
    systemSerial: drawSerial(entropy, 'SYS'),
    boardSerial: drawSerial(entropy, 'BRD'),
    nics: [
      { mac: drawMac(entropy), leaf: leaves[0], port },
      { mac: drawMac(entropy), leaf: leaves[1], port },
    ],
    disks: [
      { serial: drawSerial(entropy, 'S64H'), sizeBytes: driveSizeBytes },
      { serial: drawSerial(entropy, 'S64H'), sizeBytes: driveSizeBytes },
    ],
    bmc: { address: `10.0.0.${101 + index}`, mac: drawMac(entropy) },
  };
}
