/** What a client shows of itself that a quirk can be known by. */
export interface QuirkClient {
  /** Lower case, with colons. */
  readonly mac: string;
  readonly vendorClass?: string | undefined;
  readonly architectures?: readonly number[];
  readonly userClasses?: readonly string[];
  /** PCI vendor of the network card, which only iPXE tells. */
  readonly nicVendor?: number | undefined;
}

/** What is done otherwise for a client. */
export interface QuirkEffect {
  /** An offer beside another server tells UEFI to load the file at once, instead of asking port 4011. */
  readonly fileAtOnce?: true;
  /** Option 26 in a lease whose network says nothing of it, bytes; asked for or not. */
  readonly mtu?: number;
  /** The next boot loader is given to this iPXE by URL, not by TFTP. */
  readonly chainByHttp?: true;
  /** It boots by rules of its own, with files of names of its own. */
  readonly boots?: 'raspberry-pi';
  /** TFTP: the most blocks between two ACKs, whatever it asks for. */
  readonly maxWindowsize?: number;
  /** TFTP: data comes from port 69 as well. */
  readonly singlePort?: true;
}

/** A row applies when all that it names fits; of a list one has to. */
export interface Quirk {
  readonly name: string;
  readonly match: {
    /** First three bytes of the MAC address. */
    readonly ouis?: readonly string[];
    /** How option 60 begins. */
    readonly vendorClass?: string;
    /** The first type of option 93. */
    readonly architectures?: readonly number[];
    readonly userClass?: string;
    readonly nicVendor?: number;
  };
  readonly effect: QuirkEffect;
  /** What is wrong with it, and who found it. */
  readonly why: string;
  readonly evidence: readonly string[];
}

export const RASPBERRY_PI_OUIS: readonly string[] = [
  'b8:27:eb',
  'dc:a6:32',
  'e4:5f:01',
  '28:cd:c1',
  'd8:3a:dd',
  '2c:cf:67',
];

const PCI_VENDOR_INTEL = 0x8086;

/** Firmware that differs from the rest. A row more is all that it takes to serve the next one. */
export const QUIRKS: readonly Quirk[] = [
  {
    name: 'Intel cards keep a maximum frame size of 600 after iPXE',
    match: { nicVendor: PCI_VENDOR_INTEL, userClass: 'iPXE' },
    effect: { mtu: 1500 },
    why: 'without option 26 iPXE leaves the card at 600 bytes, and the kernel after it loses every larger frame',
    evidence: ['https://github.com/ipxe/ipxe/issues/987'],
  },
  {
    name: 'HP Gen9 UEFI does not ask port 4011',
    match: {
      ouis: [
        '14:02:ec',
        '1c:98:ec',
        '30:e1:71',
        '38:63:bb',
        '3c:a8:2a',
        '48:df:37',
        '50:65:f3',
        '5c:b9:01',
        '70:10:6f',
        '94:18:82',
        '9c:b6:54',
        'ec:b1:d7',
      ],
      architectures: [7, 9],
      vendorClass: 'PXEClient',
    },
    effect: { fileAtOnce: true },
    why: 'it begins anew after a proxy offer without option 43: the file has to be in the offer, with discovery control',
    evidence: ['https://github.com/danderson/netboot/issues/43'],
  },
  {
    name: 'U-Boot does not ask port 4011',
    match: { architectures: [0x15, 0x16] },
    effect: { fileAtOnce: true },
    why: 'it reads the file field of the offer, and knows little of ProxyDHCP',
    evidence: ['https://github.com/siderolabs/booter/pull/12'],
  },
  {
    name: 'the iPXE in VirtualBox cannot load by TFTP',
    match: { ouis: ['08:00:27'], userClass: 'iPXE' },
    effect: { chainByHttp: true },
    why: 'it announces TFTP, and fails without a packet as soon as it is to load by it; it starts no bzImage either',
    evidence: [
      'https://github.com/danderson/netboot/issues/51',
      'https://github.com/danderson/netboot/issues/52',
      'https://github.com/coreos/tectonic-installer/issues/932',
    ],
  },
  {
    name: 'Dell servers of iDRAC8 time fail TFTP through a router',
    match: {
      ouis: ['14:18:77', '18:66:da', '24:6e:96', '44:a8:42', '50:9a:4c', 'b0:83:fe', 'ec:f4:bb', 'f4:8e:38'],
      architectures: [0, 7, 9],
    },
    effect: { singlePort: true },
    why: 'PXE-E18 from another network: what comes from a port that it has not sent to does not reach it',
    evidence: [
      'https://github.com/tinkerbell/tinkerbell/issues/728',
      'https://github.com/tinkerbell/tinkerbell/pull/489',
    ],
  },
  {
    name: 'Raspberry Pi says that it is a BIOS',
    match: { ouis: RASPBERRY_PI_OUIS, architectures: [0], vendorClass: 'PXEClient' },
    effect: { boots: 'raspberry-pi', maxWindowsize: 1 },
    why: 'its ROM sends architecture 0, and takes only an offer whose option 43 says "Raspberry Pi Boot"; its start4.elf loses count when a block comes twice, as whole windows do after a loss',
    evidence: [
      'https://github.com/raspberrypi/firmware/issues/1631',
      'https://github.com/raspberrypi/rpi-eeprom/issues/182',
      'https://github.com/raspberrypi/firmware/issues/1928',
      'https://github.com/raspberrypi/documentation/issues/1686',
    ],
  },
  {
    name: 'Raspberry Pi by its own architecture',
    match: { architectures: [0x29] },
    effect: { boots: 'raspberry-pi', maxWindowsize: 1 },
    why: 'IANA gave the ROM of the Raspberry Pi a type of its own; it still wants its words in option 43',
    evidence: [
      'https://www.iana.org/assignments/dhcpv6-parameters/dhcpv6-parameters.xhtml#processor-architecture',
      'https://github.com/raspberrypi/firmware/issues/1928',
    ],
  },
];

const NONE: QuirkEffect = {};
const OUI_LENGTH = 'xx:xx:xx'.length;

const byOui = new Map<string, Quirk[]>();
for (const quirk of QUIRKS)
  for (const oui of quirk.match.ouis ?? []) byOui.set(oui, [...(byOui.get(oui) ?? []), quirk]);
const ofAnyMaker: readonly Quirk[] = QUIRKS.filter(({ match }) => match.ouis === undefined);

/** All that is done otherwise for this client; where rows contradict each other, the later one holds. */
export function quirksOf(client: QuirkClient): QuirkEffect {
  let effect = NONE;
  const add = (quirk: Quirk): void => {
    if (fits(quirk, client)) effect = effect === NONE ? quirk.effect : { ...effect, ...quirk.effect };
  };
  byOui.get(client.mac.slice(0, OUI_LENGTH))?.forEach(add);
  ofAnyMaker.forEach(add);
  return effect;
}

function fits({ match }: Quirk, client: QuirkClient): boolean {
  const { vendorClass, architectures, userClass, nicVendor } = match;
  if (vendorClass !== undefined && client.vendorClass?.startsWith(vendorClass) !== true) return false;
  if (architectures !== undefined) {
    const first = client.architectures?.[0];
    if (first === undefined || !architectures.includes(first)) return false;
  }
  if (userClass !== undefined && client.userClasses?.includes(userClass) !== true) return false;
  return nicVendor === undefined || client.nicVendor === nicVendor;
}

export type BorneFault = 'no-uuid' | 'file-name-with-0xff' | 'architecture-0-on-4011' | 'type-16-is-x64-http';

/**
 * Faults of firmware that ask for no row, for every client may have them. Each is a name in the tests, which show that
 * it is borne.
 */
export const BORNE: Readonly<Record<BorneFault, Pick<Quirk, 'why' | 'evidence'>>> = {
  'no-uuid': {
    why: 'option 97 is missing: the machine boots by its MAC address, and by the UUID that it showed before',
    evidence: ['https://github.com/danderson/pixiecore/issues/21'],
  },
  'file-name-with-0xff': {
    why: 'ROMs of the year 2000 read the file name past its end: it ends with a NUL here, and what is no text at the end of a name in a TFTP request is cut off',
    evidence: ['https://github.com/netbootxyz/netboot.xyz/issues/1198'],
  },
  'architecture-0-on-4011': {
    why: 'BIOS ROMs of PXE 2.0 ask port 4011 although the offer says that they need not',
    evidence: ['https://github.com/danderson/netboot/issues/132'],
  },
  'type-16-is-x64-http': {
    why: 'it is x64 firmware with HTTP boot on, which wants a URL and the class HTTPClient',
    evidence: ['https://github.com/danderson/netboot/issues/72', 'https://github.com/danderson/netboot/issues/142'],
  },
};
