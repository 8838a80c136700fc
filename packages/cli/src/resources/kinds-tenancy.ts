import { apiV2 } from '@ingot/api';
import { call } from '../api.ts';
import { given } from './given.ts';
import { resource, type Resource } from './resource.ts';
import { labelsOf } from './shared.ts';

export const TENANT: Resource = resource({
  kind: 'tenant',
  needs: ['login'],
  description: 'who projects belong to',
  schema: apiV2.TenantSchema,
  columns: [
    { title: 'LOGIN', value: 'login' },
    { title: 'NAME', value: 'name' },
    { title: 'EMAIL', value: 'email' },
    { title: 'DESCRIPTION', value: 'description', wide: true },
  ],
  fixed: ['createdBy', 'login'],
  made: ['createdBy'],
  scope: {
    flag: '--mine',
    description: 'only those that you are a member of',
    list: async (api) => (await api.tenants.list({}, call)).tenants,
  },
  get: async (api, login) => (await api.tenants.get({ login }, call)).tenant,
  idOf: ({ login }) => login,
  list: async (api) => (await api.adminTenants.list({}, call)).tenants,
  create: async (api, { login, name, description, email, avatarUrl, meta }) =>
    (
      await api.adminTenants.create(
        {
          name: login === '' ? name : login,
          description,
          ...(email === '' ? {} : { email }),
          ...(avatarUrl === '' ? {} : { avatarUrl }),
          ...given('labels', meta?.labels),
        },
        call,
      )
    ).tenant,
  update: async (api, login, message, updateMeta) =>
    (
      await api.tenants.update(
        {
          login,
          updateMeta,
          name: message.name,
          description: message.description,
          ...given('email', message.email || undefined),
          ...given('avatarUrl', message.avatarUrl || undefined),
          ...labelsOf(message),
        },
        call,
      )
    ).tenant,
  remove: (api, login) => api.tenants.delete({ login }, call),
});

export const PROJECT: Resource = resource({
  kind: 'project',
  needs: ['name', 'tenant'],
  description: 'what machines, networks and addresses belong to',
  schema: apiV2.ProjectSchema,
  columns: [
    { title: 'UUID', value: 'uuid' },
    { title: 'NAME', value: 'name' },
    { title: 'TENANT', value: 'tenant' },
    { title: 'DESCRIPTION', value: 'description' },
  ],
  fixed: ['uuid', 'tenant'],
  made: ['uuid'],
  scope: {
    flag: '--mine',
    description: 'only those that you are a member of',
    list: async (api) => (await api.projects.list({}, call)).projects,
  },
  get: async (api, project) => (await api.projects.get({ project }, call)).project,
  idOf: ({ uuid }) => uuid,
  list: async (api) => (await api.adminProjects.list({}, call)).projects,
  create: async (api, { name, description, tenant, avatarUrl, meta }) =>
    (
      await api.projects.create(
        { login: tenant, name, description, ...given('avatarUrl', avatarUrl), ...given('labels', meta?.labels) },
        call,
      )
    ).project,
  update: async (api, project, message, updateMeta) =>
    (
      await api.projects.update(
        {
          project,
          updateMeta,
          name: message.name,
          description: message.description,
          ...given('avatarUrl', message.avatarUrl),
          ...labelsOf(message),
        },
        call,
      )
    ).project,
  remove: (api, project) => api.projects.delete({ project }, call),
});
