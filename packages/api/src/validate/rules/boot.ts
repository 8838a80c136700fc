import type { RuleTable } from '../rule.ts';

/** What agents send about machines and about themselves. Source: the validation rules of metal-stack's api v0.5.0. */
export const bootRules: RuleTable = {
  'metalstack.infra.v2.BootServiceBootRequest': {
    mac: { format: 'mac' },
    partition: { length: [2, 128] },
  },
  'metalstack.infra.v2.BootServiceBootResponse': {
    kernel: { format: 'uri' },
    cmdline: { length: [0, 256] },
  },
  'metalstack.infra.v2.BootServiceDhcpRequest': {
    uuid: { format: 'uuid' },
    partition: { length: [2, 128] },
  },
  'metalstack.infra.v2.BootServiceInstallationSucceededRequest': {
    uuid: { format: 'uuid' },
    console_password: { length: [2, 128] },
  },
  'metalstack.infra.v2.BootServiceRegisterRequest': {
    uuid: { format: 'uuid' },
    metal_hammer_version: { length: [0, 256] },
    partition: { length: [2, 128] },
  },
  'metalstack.infra.v2.BootServiceRegisterResponse': {
    uuid: { format: 'uuid' },
    size: { length: [0, 256] },
    partition: { length: [2, 128] },
  },
  'metalstack.infra.v2.BootServiceSuperUserPasswordRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.infra.v2.BootServiceSuperUserPasswordResponse': {
    super_user_password: { length: [2, 128] },
  },
  'metalstack.infra.v2.BootServiceWaitRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.infra.v2.UpdateBMCInfoRequest': {
    partition: { length: [2, 128] },
  },
  'metalstack.infra.v2.WaitForBMCCommandRequest': {
    partition: { length: [2, 128] },
  },
  'metalstack.infra.v2.WaitForBMCCommandResponse': {
    uuid: { format: 'uuid' },
  },
  'metalstack.infra.v2.ComponentServicePingRequest': {
    type: { defined: true },
    identifier: { length: [2, 128] },
    started_at: { past: true },
    interval: { min: 5, max: 3600 },
  },
  'metalstack.api.v2.Component': {
    uuid: { format: 'uuid' },
    type: { defined: true },
    identifier: { length: [2, 128] },
  },
  'metalstack.api.v2.ComponentQuery': {
    uuid: { format: 'uuid' },
  },
  'metalstack.admin.v2.ComponentServiceDeleteRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.admin.v2.ComponentServiceGetRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.api.v2.Version': {
    version: { length: [0, 256] },
    revision: { length: [0, 256] },
    git_sha1: { length: [0, 256] },
    build_date: { length: [0, 256] },
  },
  'metalstack.api.v2.Labels': {
    labels: { trimmed: true, keyTrimmed: true, length: [1, 256] },
  },
  'metalstack.api.v2.LabelsPatch': {
    remove: { trimmed: true, unique: true },
  },
  'metalstack.api.v2.UpdateMeta': {
    locking_strategy: { defined: true },
  },
};
