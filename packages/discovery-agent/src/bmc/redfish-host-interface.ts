import { printable } from '../inventory/printable.ts';
import type { SmbiosStructure } from '../inventory/smbios.ts';

/** A network between this machine and its BMC alone, with a Redfish service at the other end. */
export interface RedfishHostInterface {
  readonly device: 'usb' | 'pci' | 'other';
  /** The machine's own end of it; undefined in tables of before DSP0270 1.3. */
  readonly mac: string | undefined;
  /** What the machine's own end is to be called, or how it gets that. */
  readonly hostAddress: string | undefined;
  readonly hostAssignment: 'static' | 'dhcp' | 'auto' | 'unknown';
  /** Where the service is, literal; undefined when it is to be found by its name or by DHCP. */
  readonly serviceAddress: string | undefined;
  /** 443 as a rule. */
  readonly servicePort: number;
  readonly serviceName: string;
  /** 0: none. */
  readonly vlan: number;
  /** The BMC gives this machine an account for the asking, over IPMI (DSP0270, 9). */
  readonly canBootstrapCredentials: boolean;
}

/** DSP0134, 7.43: Management Controller Host Interface, a network, and Redfish over IP on it. */
const managementControllerHostInterface = 42;
const networkInterface = 0x40;
const redfishOverIp = 0x04;
const deviceTypes: Readonly<Record<number, RedfishHostInterface['device']>> = {
  2: 'usb',
  3: 'pci',
  4: 'usb',
  5: 'pci',
};
const assignments: Readonly<Record<number, RedfishHostInterface['hostAssignment']>> = {
  1: 'static',
  2: 'dhcp',
  3: 'auto',
  4: 'auto',
};
const httpsPort = 443;

/** Every Redfish service that the firmware's tables name. What is cut short is left out. */
export function redfishHostInterfaces(structures: readonly SmbiosStructure[]): readonly RedfishHostInterface[] {
  return structures.flatMap(({ type, data }) => {
    if (type !== managementControllerHostInterface || data[4] !== networkInterface) return [];
    const device = data.subarray(6, 6 + (data[5] ?? 0));
    let at = 6 + device.length;
    const count = data[at] ?? 0;
    at += 1;
    const found: RedfishHostInterface[] = [];
    for (let protocol = 0; protocol < count && at + 2 <= data.length; protocol++) {
      const length = data[at + 1] ?? 0;
      const record = data.subarray(at + 2, at + 2 + length);
      if (data[at] === redfishOverIp && record.length === length) found.push(...interfaceOf(device, record));
      at += 2 + length;
    }
    return found;
  });
}

/** Fixed part of the protocol record of DSP0270, table 3; the service's name follows. */
const nameLengthAt = 90;

function interfaceOf(device: Uint8Array, record: Uint8Array): readonly RedfishHostInterface[] {
  if (record.length <= nameLengthAt) return [];
  const bytes = Buffer.from(record);
  const nameEnd = nameLengthAt + 1 + (bytes[nameLengthAt] ?? 0);
  const name = bytes
    .subarray(nameLengthAt + 1, nameEnd)
    .toString('latin1')
    .replace(/\0.*$/s, '');
  const port = bytes.readUInt16LE(84);
  return [
    {
      ...deviceOf(Buffer.from(device)),
      hostAddress: addressOf(bytes[17] ?? 0, bytes.subarray(18, 34)),
      hostAssignment: assignments[bytes[16] ?? 0] ?? 'unknown',
      serviceAddress: addressOf(bytes[51] ?? 0, bytes.subarray(52, 68)),
      servicePort: port === 0 ? httpsPort : port,
      serviceName: printable(name),
      vlan: bytes.readUInt32LE(86) & 0x0fff,
    },
  ];
}

/** DSP0270, table 2. The second versions of USB and PCI tell the MAC and what the BMC can do. */
function deviceOf(device: Buffer): Pick<RedfishHostInterface, 'device' | 'mac' | 'canBootstrapCredentials'> {
  const type = device[0] ?? 0;
  const macAt = { 4: 7, 5: 10 }[type];
  const characteristicsAt = { 4: 13, 5: 20 }[type];
  const mac = macAt === undefined ? Buffer.alloc(0) : device.subarray(macAt, macAt + 6);
  const isAddress = mac.length === 6 && mac.some((byte) => byte !== 0) && mac.some((byte) => byte !== 0xff);
  return {
    device: deviceTypes[type] ?? 'other',
    mac: isAddress ? [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':') : undefined,
    canBootstrapCredentials: characteristicsAt !== undefined && ((device[characteristicsAt] ?? 0) & 0x01) === 1,
  };
}

/** 1: IPv4 in the first four bytes, 2: IPv6. */
function addressOf(format: number, bytes: Uint8Array): string | undefined {
  if (format === 1) {
    const text = bytes.subarray(0, 4).join('.');
    return text === '0.0.0.0' ? undefined : text;
  }
  if (format !== 2 || bytes.every((byte) => byte === 0)) return undefined;
  const hex = Buffer.from(bytes).toString('hex');
  return new URL(`http://[${hex.match(/.{4}/g)?.join(':') ?? ''}]`).hostname.slice(1, -1);
}
