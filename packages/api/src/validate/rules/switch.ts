import type { RuleTable } from '../rule.ts';

/** Switches and their ports. Source: the validation rules of metal-stack's api v0.5.0. */
export const switchRules: RuleTable = {
  'metalstack.api.v2.BGPFilter': {
    cidrs: { format: 'ip-prefix' },
    vnis: { length: [2, 128] },
  },
  'metalstack.api.v2.NicState': {
    desired: { defined: true },
    actual: { defined: true },
  },
  'metalstack.api.v2.Switch': {
    id: { length: [2, 128], format: 'hostname' },
    description: { length: [0, 256] },
    rack: { length: [2, 128] },
    room: { length: [2, 128] },
    partition: { length: [2, 128] },
    replace_mode: { defined: true },
    management_ip: { format: 'ip' },
    management_user: { length: [2, 128] },
    console_command: { length: [2, 128] },
  },
  'metalstack.api.v2.SwitchBGPPortState': {
    neighbor: { length: [2, 128] },
    peer_group: { length: [2, 128] },
    vrf_name: { length: [2, 128] },
    bgp_state: { defined: true },
  },
  'metalstack.api.v2.SwitchNic': {
    name: { length: [2, 128] },
    identifier: { length: [2, 128] },
    mac: { format: 'mac' },
    vrf: { length: [2, 128] },
  },
  'metalstack.api.v2.SwitchOS': {
    vendor: { defined: true },
    version: { length: [2, 128] },
    metal_core_version: { length: [2, 128] },
  },
  'metalstack.api.v2.SwitchQuery': {
    partition: { length: [2, 128] },
    connected_machine_id: { format: 'uuid' },
  },
  'metalstack.admin.v2.SwitchServiceDeleteRequest': {
    id: { length: [2, 128], format: 'hostname' },
  },
  'metalstack.admin.v2.SwitchServiceGetRequest': {
    id: { length: [2, 128], format: 'hostname' },
  },
  'metalstack.admin.v2.SwitchServiceMigrateRequest': {
    old_switch: { length: [2, 128], format: 'hostname' },
    new_switch: { length: [2, 128], format: 'hostname' },
  },
  'metalstack.admin.v2.SwitchServicePortRequest': {
    id: { length: [2, 128], format: 'hostname' },
    nic_name: { length: [2, 128] },
    status: { defined: true },
  },
  'metalstack.admin.v2.SwitchServiceUpdateRequest': {
    id: { length: [2, 128], format: 'hostname' },
    update_meta: { required: true },
    description: { length: [0, 256] },
    replace_mode: { defined: true },
    management_ip: { format: 'ip' },
  },
  'metalstack.infra.v2.SwitchServiceGetRequest': {
    id: { length: [2, 128], format: 'hostname' },
  },
  'metalstack.infra.v2.SwitchServiceHeartbeatRequest': {
    id: { length: [2, 128], format: 'hostname' },
  },
  'metalstack.infra.v2.SwitchServiceRegisterRequest': {
    switch: { required: true },
  },
};
