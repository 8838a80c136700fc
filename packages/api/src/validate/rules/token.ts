import type { RuleTable } from '../rule.ts';

/** Tokens and rights. Source: the validation rules of metal-stack's api v0.5.0. */
export const tokenRules: RuleTable = {
  'metalstack.api.v2.AdminPermissions': {
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.InfraPermissions': {
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.MachinePermissions': {
    uuid: { format: 'any-or-uuid' },
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.MethodPermission': {
    subject: { length: [0, 256] },
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.ProjectPermissions': {
    project: { format: 'any-or-uuid' },
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.PublicPermissions': {
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.SelfPermissions': {
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.TenantPermissions': {
    login: { format: 'any-or-login' },
    methods: { items: [0, 500] },
  },
  'metalstack.api.v2.Token': {
    uuid: { format: 'uuid' },
    user: { length: [2, 512] },
    description: { length: [0, 256] },
    permissions: { items: [0, 500] },
    token_type: { defined: true },
    project_roles: { keyTrimmed: true, keyFormat: 'any-or-uuid', defined: true },
    tenant_roles: { keyTrimmed: true, keyFormat: 'any-or-login', defined: true },
    admin_role: { defined: true },
    infra_role: { defined: true },
    machine_roles: { keyTrimmed: true, keyFormat: 'any-or-uuid', defined: true },
  },
  'metalstack.api.v2.TokenQuery': {
    uuid: { format: 'uuid' },
  },
  'metalstack.api.v2.TokenServiceCreateRequest': {
    description: { length: [0, 256] },
    permissions: { items: [0, 100] },
    expires: { min: 600, below: 31536001 },
    project_roles: { keyTrimmed: true, keyFormat: 'any-or-uuid', defined: true },
    tenant_roles: { keyTrimmed: true, keyFormat: 'any-or-login', defined: true },
    admin_role: { defined: true },
    infra_role: { defined: true },
    machine_roles: { keyTrimmed: true, keyFormat: 'any-or-uuid', defined: true },
  },
  'metalstack.api.v2.TokenServiceGetRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.api.v2.TokenServiceRevokeRequest': {
    uuid: { format: 'uuid' },
  },
  'metalstack.api.v2.TokenServiceUpdateRequest': {
    uuid: { format: 'uuid' },
    update_meta: { required: true },
    description: { length: [0, 256] },
    project_roles: { keyTrimmed: true, keyFormat: 'any-or-uuid', defined: true },
    tenant_roles: { keyTrimmed: true, keyFormat: 'any-or-login', defined: true },
    admin_role: { defined: true },
    infra_role: { defined: true },
    machine_roles: { keyTrimmed: true, keyFormat: 'any-or-uuid', defined: true },
  },
  'metalstack.admin.v2.TokenServiceRevokeRequest': {
    uuid: { format: 'uuid' },
  },
};
