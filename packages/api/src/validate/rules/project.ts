import type { RuleTable } from '../rule.ts';

/** Tenants and projects. Source: the validation rules of metal-stack's api v0.5.0. */
export const projectRules: RuleTable = {
  'metalstack.admin.v2.TenantServiceAddMemberRequest': {
    tenant: { length: [2, 128] },
    member: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.admin.v2.TenantServiceCreateRequest': {
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    email: { length: [3, 256] },
    avatar_url: { format: 'uri' },
  },
  'metalstack.admin.v2.TenantServiceRemoveMemberRequest': {
    tenant: { length: [2, 128] },
    member: { length: [2, 128] },
  },
  'metalstack.api.v2.Project': {
    uuid: { format: 'uuid' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    tenant: { length: [2, 128] },
    avatar_url: { format: 'uri' },
  },
  'metalstack.api.v2.ProjectInvite': {
    role: { defined: true },
  },
  'metalstack.api.v2.ProjectMember': {
    id: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.ProjectQuery': {
    uuid: { format: 'uuid' },
    name: { length: [2, 128] },
    tenant: { length: [2, 128] },
  },
  'metalstack.api.v2.ProjectServiceAddMemberRequest': {
    project: { format: 'uuid' },
    member: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.ProjectServiceCreateRequest': {
    login: { length: [2, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    avatar_url: { format: 'uri' },
  },
  'metalstack.api.v2.ProjectServiceDeleteRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.ProjectServiceGetRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.ProjectServiceInviteAcceptRequest': {
    secret: { length: [10, 256] },
  },
  'metalstack.api.v2.ProjectServiceInviteDeleteRequest': {
    project: { format: 'uuid' },
    secret: { length: [10, 256] },
  },
  'metalstack.api.v2.ProjectServiceInviteGetRequest': {
    secret: { length: [10, 256] },
  },
  'metalstack.api.v2.ProjectServiceInviteRequest': {
    project: { format: 'uuid' },
    role: { defined: true },
  },
  'metalstack.api.v2.ProjectServiceInvitesListRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.ProjectServiceLeaveRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.ProjectServiceRemoveMemberRequest': {
    project: { format: 'uuid' },
    member: { length: [2, 128] },
  },
  'metalstack.api.v2.ProjectServiceUpdateMemberRequest': {
    project: { format: 'uuid' },
    member: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.ProjectServiceUpdateRequest': {
    project: { format: 'uuid' },
    update_meta: { required: true },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    avatar_url: { format: 'uri' },
  },
  'metalstack.api.v2.Tenant': {
    login: { length: [2, 128] },
    name: { length: [2, 128] },
    email: { length: [0, 256] },
    description: { length: [0, 256] },
    avatar_url: { length: [0, 256] },
    created_by: { length: [0, 256] },
  },
  'metalstack.api.v2.TenantInvite': {
    role: { defined: true },
  },
  'metalstack.api.v2.TenantMember': {
    id: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.TenantQuery': {
    login: { length: [2, 128] },
    name: { length: [2, 128] },
  },
  'metalstack.api.v2.TenantServiceAddMemberRequest': {
    login: { length: [2, 128] },
    member: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.TenantServiceCreateRequest': {
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    email: { length: [3, 256] },
    avatar_url: { format: 'uri' },
  },
  'metalstack.api.v2.TenantServiceDeleteRequest': {
    login: { length: [2, 128] },
  },
  'metalstack.api.v2.TenantServiceGetRequest': {
    login: { length: [2, 128] },
  },
  'metalstack.api.v2.TenantServiceInviteAcceptRequest': {
    secret: { length: [10, 256] },
  },
  'metalstack.api.v2.TenantServiceInviteDeleteRequest': {
    login: { length: [2, 128] },
    secret: { length: [10, 256] },
  },
  'metalstack.api.v2.TenantServiceInviteGetRequest': {
    secret: { length: [10, 256] },
  },
  'metalstack.api.v2.TenantServiceInviteRequest': {
    login: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.TenantServiceInvitesListRequest': {
    login: { length: [2, 128] },
  },
  'metalstack.api.v2.TenantServiceLeaveRequest': {
    login: { length: [2, 128] },
  },
  'metalstack.api.v2.TenantServiceRemoveMemberRequest': {
    login: { length: [2, 128] },
    member: { length: [2, 128] },
  },
  'metalstack.api.v2.TenantServiceUpdateMemberRequest': {
    login: { length: [2, 128] },
    member: { length: [2, 128] },
    role: { defined: true },
  },
  'metalstack.api.v2.TenantServiceUpdateRequest': {
    login: { length: [2, 128] },
    update_meta: { required: true },
    name: { length: [2, 128] },
    email: { length: [3, 256] },
    description: { length: [0, 256] },
    avatar_url: { format: 'uri' },
  },
};
