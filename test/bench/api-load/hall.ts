import { apiV2, create, durationFromMs, infraV2, timestampFromMs } from '@ingot/api';

const { BGPState, SwitchPortStatus } = apiV2;

/** A hall of racks: pairs of leaves, each with as many machines as there are for it, each machine on both of its leaves. */
export interface Hall {
  readonly switches: readonly apiV2.Switch[];
  readonly machines: readonly SimulatedMachine[];
}

export interface SimulatedMachine {
  readonly uuid: string;
  readonly rack: number;
  /** Number of its port on both leaves. */
  readonly port: number;
}

export const PARTITION = 'lab';
/** The size that all machines of the hall match. */
export const SIZE = 'c1-large';

const PORTS = 64;
const GIB = 2n ** 30n;

/** Throws RangeError where the leaves have too few ports. */
export function buildHall(machines: number, switches: number): Hall {
  const racks = Math.floor(switches / 2);
  if (machines > racks * PORTS) throw new RangeError(`${switches} switches have ports for ${racks * PORTS} machines`);
  return {
    switches: Array.from({ length: racks * 2 }, (_, index) => leaf(index)),
    machines: Array.from({ length: machines }, (_, index) => ({
      uuid: `4c4c4544-0042-4510-8052-${index.toString(16).padStart(12, '0')}`,
      rack: index % racks,
      port: Math.floor(index / racks),
    })),
  };
}

const leafName = (rack: number, side: number): string => `rack${String(rack).padStart(3, '0')}-leaf${side}`;
const portName = (port: number): string => `Ethernet${port * 4}`;
const identifier = (port: number): string => `Eth1/${port + 1}`;
const mac = (kind: number, first: number, second: number): string =>
  [0x52, kind, first >> 8, first & 255, second >> 8, second & 255]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':');

function leaf(index: number): apiV2.Switch {
  const rack = Math.floor(index / 2);
  return create(apiV2.SwitchSchema, {
    id: leafName(rack, index % 2),
    partition: PARTITION,
    rack: `rack${String(rack).padStart(3, '0')}`,
    replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
    managementIp: `10.${index >> 8}.${index & 255}.2`,
    managementUser: 'admin',
    nics: Array.from({ length: PORTS }, (_, port) => ({
      name: portName(port),
      identifier: identifier(port),
      state: { actual: SwitchPortStatus.UP },
    })),
    os: { vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC, version: 'SONiC.202311', metalCoreVersion: 'v1' },
  });
}

/** What a server of two sockets with eight NVMe disks and four network ports says of itself: 3 to 4 KiB. */
export function registration(
  { uuid, rack, port }: SimulatedMachine,
  index: number,
): infraV2.BootServiceRegisterRequest {
  const model = 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz';
  const uplink = (side: number) => ({
    mac: mac(1 + side, index, port),
    name: `eth${side}`,
    vendor: 'Intel Corporation',
    model: 'Ethernet Controller E810-C for SFP',
    speed: 25_000n,
    neighbors: [
      {
        mac: mac(16 + side, rack, port),
        name: portName(port),
        hostname: leafName(rack, side),
        identifier: identifier(port),
      },
    ],
  });
  const spare = (side: number) => ({
    mac: mac(3 + side, index, port),
    name: `eth${2 + side}`,
    vendor: 'Broadcom Inc. and subsidiaries',
    model: 'NetXtreme BCM5720 Gigabit Ethernet PCIe',
    speed: 1_000n,
    neighbors: [],
  });
  return create(infraV2.BootServiceRegisterRequestSchema, {
    uuid,
    partition: PARTITION,
    metalHammerVersion: 'ingot 0.1.0',
    tags: [`machine.metal-stack.io/chassis=rack${rack}-${port}`],
    hardware: {
      memory: 384n * GIB,
      cpus: [0, 1].map(() => ({ vendor: 'GenuineIntel', model, cores: 20, threads: 40 })),
      disks: Array.from({ length: 8 }, (_, disk) => ({ name: `/dev/nvme${disk}n1`, size: 3_576n * GIB })),
      nics: [uplink(0), uplink(1), spare(0), spare(1)],
    },
    bios: { version: '2.19.1', vendor: 'Dell Inc.', date: '06/04/2023' },
    bmc: {
      address: `10.200.${index >> 8}.${index & 255}:623`,
      mac: mac(5, index, port),
      user: 'metal',
      password: `secret-${index}`,
      interface: 'lanplus',
      version: '6.10.80.00',
      powerState: 'ON',
    },
    fru: {
      chassisPartNumber: '0K1T9V',
      chassisPartSerial: `CN${index}`,
      boardMfg: 'DELL',
      boardMfgSerial: `.B5RN3Y2.CNFCP${index}.AB.`,
      boardPartNumber: '06WXJTA01',
      productManufacturer: 'DELL',
      productPartNumber: 'R740',
      productSerial: `B5RN${index}`,
    },
  });
}

/** The states of all ports, with an established session on each that has a machine: some 10 KiB. */
export function heartbeat(one: apiV2.Switch, usedPorts: number, now: number): infraV2.SwitchServiceHeartbeatRequest {
  const since = timestampFromMs(now - 3_600_000);
  const session = (name: string): apiV2.SwitchBGPPortState =>
    create(apiV2.SwitchBGPPortStateSchema, {
      neighbor: name,
      peerGroup: 'FIREWALL',
      vrfName: 'default',
      bgpState: BGPState.BGP_STATE_ESTABLISHED,
      bgpTimerUpEstablished: since,
      sentPrefixCounter: 120n,
      acceptedPrefixCounter: 4n,
    });
  const names = one.nics.map(({ name }) => name);
  return create(infraV2.SwitchServiceHeartbeatRequestSchema, {
    id: one.id,
    duration: durationFromMs(180),
    portStates: Object.fromEntries(
      names.map((name, index) => [name, index < usedPorts ? SwitchPortStatus.UP : SwitchPortStatus.DOWN]),
    ),
    bgpPortStates: Object.fromEntries(names.slice(0, usedPorts).map((name) => [name, session(name)])),
  });
}
