import { apiV2, create, durationFromMs, timestampFromMs, type MessageInitShape } from '@ingot/api';

export const NOW_MS: number = Date.UTC(2026, 0, 15, 12);

const Event = apiV2.MachineProvisioningEventType;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const UUID_1 = '00000000-0000-4000-8000-000000000001';
export const UUID_2 = '00000000-0000-4000-8000-000000000002';
export const UUID_3 = '11111111-0000-4000-8000-000000000003';

/** Three machines, not in order: one waits, one is allocated and locked, one crashed and is dead. */
export function machines(): apiV2.Machine[] {
  return [dead(), allocated(), waiting()];
}

function machine(init: MessageInitShape<typeof apiV2.MachineSchema>): apiV2.Machine {
  const made = create(apiV2.MachineSchema, init);
  made.partition ??= create(apiV2.PartitionSchema, { id: 'lab' });
  made.rack ||= 'rack-1';
  return made;
}

function waiting(): apiV2.Machine {
  return machine({
    uuid: UUID_1,
    size: { id: 'c1-small' },
    meta: {
      labels: {
        labels: {
          'ingot.inventory.boot': 'uefi',
          'ingot.inventory.disk/nvme0n1': 'Ingot NVMe;S123;1.0;480103981056',
          'ingot.inventory.system': 'QEMU;Standard PC;0001',
        },
      },
      createdAt: timestampFromMs(NOW_MS - HOUR),
    },
    status: { liveliness: apiV2.MachineLiveliness.ALIVE, metalHammerVersion: 'ingot 0.1.0' },
    hardware: {
      memory: 8_589_934_592n,
      cpus: [{ vendor: 'AMD', model: 'EPYC 7402P', cores: 4, threads: 8 }],
      disks: [{ name: '/dev/nvme0n1', size: 480_103_981_056n }],
      nics: [
        {
          mac: '52:54:00:00:01:01',
          name: 'enp1s0',
          vendor: 'Red Hat, Inc.',
          model: 'Virtio network device',
          neighbors: [{ mac: '02:00:00:00:01:00', name: 'Eth1/1', identifier: 'Eth1/1', hostname: 'leaf01' }],
        },
      ],
    },
    recentProvisioningEvents: {
      lastEventTime: timestampFromMs(NOW_MS - 3 * MINUTE - 12 * SECOND),
      // Oldest first, which the command must not rely on.
      events: [
        { time: timestampFromMs(NOW_MS - 4 * MINUTE), event: Event.PXE_BOOTING, message: 'DHCP discover' },
        {
          time: timestampFromMs(NOW_MS - 3 * MINUTE - 12 * SECOND),
          event: Event.WAITING,
          message: 'waiting for allocation',
        },
      ],
    },
  });
}

function allocated(): apiV2.Machine {
  return machine({
    uuid: UUID_2,
    size: { id: 'c1-large' },
    allocation: {
      name: 'db',
      hostname: 'db-1',
      project: 'f6a4a1f0-0000-4000-8000-000000000000',
      image: { id: 'debian-12.0', name: 'Debian 12' },
      meta: { createdAt: timestampFromMs(NOW_MS - 3 * DAY - 4 * HOUR) },
      networks: [{ network: 'internet', ips: ['192.0.2.7'] }],
    },
    status: {
      condition: { state: apiV2.MachineState.LOCKED, description: 'do not touch' },
      liveliness: apiV2.MachineLiveliness.ALIVE,
    },
    recentProvisioningEvents: {
      lastEventTime: timestampFromMs(NOW_MS - 12 * SECOND),
      events: [{ time: timestampFromMs(NOW_MS - 12 * SECOND), event: Event.PHONED_HOME }],
    },
  });
}

function dead(): apiV2.Machine {
  return machine({
    uuid: UUID_3,
    rack: 'rack-10',
    size: { id: 'unknown' },
    status: { liveliness: apiV2.MachineLiveliness.DEAD },
    recentProvisioningEvents: {
      state: apiV2.MachineProvisioningEventState.CRASHLOOP,
      lastEventTime: timestampFromMs(NOW_MS - 2 * HOUR),
      events: [
        { time: timestampFromMs(NOW_MS - 2 * HOUR), event: Event.CRASHED, message: 'inventory: \u001B[31mno disks' },
      ],
    },
  });
}

export function bmcDetails(uuid: string): apiV2.MachineBMCDetails | undefined {
  if (uuid !== UUID_1) return undefined;
  return create(apiV2.MachineBMCDetailsSchema, {
    uuid,
    bmcReport: {
      uuid,
      bmc: {
        address: '10.0.0.101:623',
        mac: '52:54:00:00:02:01',
        user: 'metal',
        password: 'very-secret',
        interface: 'lanplus',
        version: '2.0',
        powerState: 'ON',
      },
      bios: { version: '1.16.2', vendor: 'SeaBIOS', date: '04/01/2014' },
      fru: { productManufacturer: 'Ingot', productSerial: 'M-0001' },
    },
  });
}

/** Three switches, not in order: one well, one with an error, one that has never reported. */
export function switches(): apiV2.Switch[] {
  return [
    leaf({ id: 'leaf10', rack: 'rack-2' }),
    leaf({
      id: 'leaf02',
      managementIp: '10.0.0.12',
      lastSync: { time: timestampFromMs(NOW_MS - 40 * SECOND), duration: durationFromMs(20) },
      lastSyncError: {
        time: timestampFromMs(NOW_MS - 8 * SECOND),
        duration: durationFromMs(5000),
        error: 'config-db: CONFIG_DB does not answer',
      },
    }),
    leaf({
      id: 'leaf01',
      lastSync: { time: timestampFromMs(NOW_MS - 4 * SECOND), duration: durationFromMs(12) },
      machineConnections: [{ machineId: UUID_1, nic: { name: 'Ethernet0', identifier: 'Eth1/1' } }],
    }),
  ];
}

function leaf(init: MessageInitShape<typeof apiV2.SwitchSchema>): apiV2.Switch {
  const common = create(apiV2.SwitchSchema, {
    partition: 'lab',
    rack: 'rack-1',
    replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
    managementIp: '10.0.0.11',
    os: {
      vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC,
      version: '202411.1',
      metalCoreVersion: 'ingot 0.1.0',
    },
    nics: [
      { name: 'Ethernet10', identifier: 'Eth1/3', state: { actual: apiV2.SwitchPortStatus.DOWN } },
      { name: 'Ethernet2', identifier: 'Eth1/2', state: { actual: apiV2.SwitchPortStatus.UNKNOWN } },
      { name: 'Ethernet0', identifier: 'Eth1/1', state: { actual: apiV2.SwitchPortStatus.UP } },
    ],
  });
  const { $typeName: _name, ...own } = create(apiV2.SwitchSchema, init);
  const given = Object.entries(own).filter(([key]) => key in init);
  return Object.assign(common, Object.fromEntries(given));
}
