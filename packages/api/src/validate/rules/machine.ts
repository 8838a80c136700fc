import type { RuleTable } from '../rule.ts';

/** Machines, what is in them, and their allocations. Source: the validation rules of metal-stack's api v0.5.0. */
export const machineRules: RuleTable = {
  'metalstack.api.v2.Machine': {
    uuid: { format: 'uuid' },
    rack: { length: [0, 128] },
    room: { length: [0, 128] },
  },
  'metalstack.api.v2.MachineChassisIdentifyLEDState': {
    value: { length: [0, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.MachineCondition': {
    state: { defined: true },
    description: { length: [0, 256] },
    issuer: { length: [0, 256] },
  },
  'metalstack.api.v2.MachineStatus': {
    liveliness: { defined: true },
  },
  'metalstack.api.v2.MachineAllocation': {
    uuid: { format: 'uuid' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    created_by: { length: [0, 128] },
    project: { format: 'uuid' },
    hostname: { format: 'hostname' },
    ssh_public_keys: { length: [1, 8192], trimmed: true, items: [0, 50] },
    userdata: { trimmed: true, length: [0, 32768] },
    allocation_type: { defined: true },
    dns_servers: { items: [0, 3] },
    ntp_servers: { items: [0, 10] },
  },
  'metalstack.api.v2.MachineAllocationNetwork': {
    network: { length: [2, 128] },
    ips: { format: 'ip' },
  },
  'metalstack.api.v2.MachineNetwork': {
    prefixes: { format: 'ip-prefix' },
    destination_prefixes: { format: 'ip-prefix' },
    ips: { format: 'ip' },
    network_type: { defined: true },
    nat_type: { defined: true },
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineVPN': {
    ips: { format: 'ip' },
  },
  'metalstack.api.v2.MachineBMC': {
    address: { format: 'host-and-port' },
    mac: { format: 'mac' },
    user: { length: [0, 256] },
    password: { length: [0, 256] },
    interface: { length: [0, 256] },
    version: { length: [0, 256] },
    power_state: { length: [0, 256] },
  },
  'metalstack.api.v2.MachineBMCDetails': {
    uuid: { format: 'uuid' },
    partition: { length: [0, 128] },
    rack: { length: [0, 128] },
    room: { length: [0, 128] },
    size: { length: [0, 128] },
  },
  'metalstack.api.v2.MachineBMCReport': {
    uuid: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineBios': {
    version: { length: [0, 256] },
    vendor: { length: [0, 256] },
    date: { length: [0, 256] },
  },
  'metalstack.api.v2.MachineFRU': {
    chassis_part_number: { length: [0, 256] },
    chassis_part_serial: { length: [0, 256] },
    board_mfg: { length: [0, 256] },
    board_mfg_serial: { length: [0, 256] },
    board_part_number: { length: [0, 256] },
    product_manufacturer: { length: [0, 256] },
    product_part_number: { length: [0, 256] },
    product_serial: { length: [0, 256] },
  },
  'metalstack.api.v2.MachineProvisioningEvent': {
    event: { defined: true },
  },
  'metalstack.api.v2.MachineRecentProvisioningEvents': {
    state: { defined: true },
  },
  'metalstack.api.v2.MachineBlockDevice': {
    name: { length: [2, 128] },
  },
  'metalstack.api.v2.MachineNic': {
    mac: { format: 'mac' },
    name: { length: [2, 128] },
    identifier: { length: [0, 128] },
    vendor: { length: [0, 128] },
    model: { length: [0, 128] },
  },
  'metalstack.api.v2.MetalCPU': {
    vendor: { length: [0, 256] },
    model: { length: [0, 256] },
  },
  'metalstack.api.v2.MetalGPU': {
    vendor: { length: [0, 256] },
    model: { length: [0, 256] },
  },
  'metalstack.api.v2.MachineIssues': {
    uuid: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineAllocationQuery': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineQuery': {
    uuid: { format: 'uuid' },
    partition: { length: [2, 128] },
  },
  'metalstack.api.v2.MachineServiceBMCCommandRequest': {
    uuid: { format: 'uuid' },
    project: { format: 'uuid' },
    command: { defined: true },
  },
  'metalstack.api.v2.MachineServiceCreateRequest': {
    project: { format: 'uuid' },
    uuid: { format: 'uuid' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    hostname: { format: 'hostname' },
    partition: { length: [2, 128] },
    ssh_public_keys: { length: [1, 8192], trimmed: true, items: [0, 50] },
    userdata: { format: 'base64', length: [0, 32768] },
    networks: { items: [1, Number.POSITIVE_INFINITY] },
    dns_servers: { items: [0, 3] },
    ntp_servers: { items: [0, 10] },
    allocation_type: { defined: true },
  },
  'metalstack.api.v2.MachineServiceDeleteRequest': {
    uuid: { format: 'uuid' },
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineServiceGetBMCRequest': {
    uuid: { format: 'uuid' },
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineServiceGetRequest': {
    uuid: { format: 'uuid' },
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineServiceListRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.MachineServiceUpdateRequest': {
    uuid: { format: 'uuid' },
    update_meta: { required: true },
    project: { format: 'uuid' },
  },
  'metalstack.admin.v2.MachineServiceBMCCommandRequest': {
    uuid: { format: 'uuid' },
    command: { defined: true },
  },
  'metalstack.admin.v2.MachineServiceConsolePasswordRequest': {
    uuid: { format: 'uuid' },
    reason: { length: [10, 512] },
  },
  'metalstack.admin.v2.MachineServiceConsolePasswordResponse': {
    uuid: { format: 'uuid' },
  },
  'metalstack.admin.v2.MachineServiceDeleteRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.admin.v2.MachineServiceGetBMCRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.admin.v2.MachineServiceGetRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.admin.v2.MachineServiceListRequest': {
    partition: { length: [2, 128] },
  },
  'metalstack.admin.v2.MachineServiceSetStateRequest': {
    uuid: { format: 'uuid' },
    state: { defined: true },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.FirewallEgressRule': {
    protocol: { defined: true },
    ports: { max: 65532 },
    to: { format: 'ip-prefix' },
    comment: { emptyAllowed: true, format: 'rule-comment', length: [0, 100] },
  },
  'metalstack.api.v2.FirewallIngressRule': {
    protocol: { defined: true },
    ports: { max: 65532 },
    to: { format: 'ip-prefix' },
    from: { format: 'ip-prefix' },
    comment: { emptyAllowed: true, format: 'rule-comment', length: [0, 100] },
  },
  'metalstack.api.v2.Image': {
    id: { length: [2, 128] },
    url: { format: 'uri' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    features: { defined: true, unique: true },
    classification: { defined: true },
  },
  'metalstack.api.v2.Size': {
    id: { length: [2, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.SizeConstraint': {
    type: { defined: true },
    identifier: { length: [0, 128] },
  },
};
