import type { RuleTable } from '../rule.ts';

/** Audit, tasks and VPN. Source: the validation rules of metal-stack's api v0.5.0. */
export const operationRules: RuleTable = {
  'metalstack.admin.v2.AuditServiceGetRequest': {
    uuid: { format: 'uuid' },
    phase: { defined: true },
  },
  'metalstack.admin.v2.TaskInfo': {
    state: { defined: true },
  },
  'metalstack.admin.v2.TaskServiceDeleteRequest': {
    task_id: { length: [2, 128] },
    queue: { length: [2, 128] },
  },
  'metalstack.admin.v2.TaskServiceGetRequest': {
    task_id: { length: [2, 128] },
    queue: { length: [2, 128] },
  },
  'metalstack.admin.v2.TaskServiceListRequest': {
    queue: { length: [2, 128] },
  },
  'metalstack.admin.v2.VPNServiceAuthKeyRequest': {
    project: { format: 'uuid' },
    reason: { length: [10, 512] },
  },
  'metalstack.admin.v2.VPNServiceListNodesRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.AuditQuery': {
    uuid: { format: 'uuid' },
    user: { length: [1, 256] },
    project: { format: 'uuid' },
    method: { length: [1, 256] },
    source_ip: { format: 'ip' },
    body: { length: [1, 256] },
    limit: { min: 1, max: 1000 },
    phase: { defined: true },
  },
  'metalstack.api.v2.AuditServiceGetRequest': {
    login: { length: [2, 128] },
    uuid: { format: 'uuid' },
    phase: { defined: true },
  },
  'metalstack.api.v2.AuditServiceListRequest': {
    login: { length: [2, 128] },
  },
  'metalstack.api.v2.AuditTrace': {
    phase: { defined: true },
  },
};
