import { adminV2, apiV2, Code, createClient } from '@ingot/api';
import { expect, test } from 'vitest';
import { auditUuid } from '../../src/audit/audit-calls.ts';
import { failure, startRig } from '../support.ts';

const { AuditPhase, MachineState } = apiV2;

test('who did what is written down, before and after, with the result and without secrets', async () => {
  await using rig = await startRig();
  const tenants = createClient(adminV2.TenantService, rig.admin);
  const audit = createClient(adminV2.AuditService, rig.admin);
  await tenants.create({ name: 'acme' });
  await failure(tenants.create({ name: 'acme' }));
  const { traces } = await audit.list({ query: { method: '/metalstack.admin.v2.TenantService/Create' } });
  expect(traces.map(({ user, phase, resultCode }) => [user, phase, resultCode])).toEqual([
    ['admin', AuditPhase.RESPONSE, Code.AlreadyExists],
    ['admin', AuditPhase.REQUEST, undefined],
    ['admin', AuditPhase.RESPONSE, 0],
    ['admin', AuditPhase.REQUEST, undefined],
  ]);
  expect(traces[1]?.body).toBe('{"name":"acme"}');
  expect(traces[0]?.sourceIp).toBe('127.0.0.1');
  const uuid = traces[3]?.uuid ?? '';
  expect((await audit.get({ uuid, phase: AuditPhase.REQUEST })).trace?.body).toBe('{"name":"acme"}');
  expect((await failure(audit.get({ uuid: auditUuid('ff') }))).code).toBe(Code.NotFound);
  expect((await audit.list({ query: { body: 'ac%' } })).traces).toEqual([]);
  expect((await audit.list({ query: { body: '"acme"', limit: 1 } })).traces).toHaveLength(1);
});

test('what is refused is written down with who tried, and what only reads is not', async () => {
  await using rig = await startRig();
  const channel = rig.channel(await rig.mint({ adminRole: apiV2.AdminRole.VIEWER }));
  const machines = createClient(adminV2.MachineService, channel);
  await machines.list({});
  const lock = { uuid: 'aaaaaaaa-0000-4000-8000-00000000000a', state: MachineState.LOCKED, description: 'x' };
  await failure(machines.setState(lock));
  const { traces } = await createClient(adminV2.AuditService, rig.admin).list({});
  const own = traces.filter(({ method }) => method.includes('MachineService'));
  expect(own.map(({ method, resultCode }) => [method, resultCode])).toEqual([
    ['/metalstack.admin.v2.MachineService/SetState', Code.PermissionDenied],
  ]);
});

test('secrets of invites and members of other tenants stay out of it', async () => {
  await using rig = await startRig();
  const tenants = createClient(apiV2.TenantService, rig.admin);
  await failure(tenants.inviteAccept({ secret: 'a-very-secret-invite' }));
  for (const name of ['acme', 'other']) {
    await createClient(adminV2.TenantService, rig.admin).create({ name });
    await createClient(apiV2.ProjectService, rig.admin).create({ login: name, name: 'web', description: '' });
  }
  const all = (await createClient(adminV2.AuditService, rig.admin).list({})).traces;
  expect(JSON.stringify(all.map(({ body }) => body))).not.toContain('a-very-secret-invite');
  const { traces } = await createClient(apiV2.AuditService, rig.admin).list({ login: 'acme' });
  expect(new Set(traces.map(({ tenant }) => tenant))).toEqual(new Set(['acme']));
  expect(traces.some(({ method }) => method.endsWith('ProjectService/Create'))).toBe(true);
});

test('strangers cannot fill the disk with what they ask, nor others with what is refused', async () => {
  await using rig = await startRig();
  const long = 'x'.repeat(100_000);
  const wrong = { project: long, network: 'internet', name: 'a' };
  const refused = await failure(createClient(apiV2.IPService, rig.channel()).create(wrong));
  expect(refused.code).toBe(Code.Unauthenticated);
  expect((await failure(createClient(apiV2.IPService, rig.channel('no.such.token')).create(wrong))).code).toBe(
    Code.Unauthenticated,
  );
  const audit = createClient(adminV2.AuditService, rig.admin);
  const method = '/metalstack.api.v2.IPService/Create';
  expect((await failure(createClient(apiV2.IPService, rig.admin).create(wrong))).code).toBe(Code.InvalidArgument);
  const { traces } = await audit.list({ query: { method } });
  expect(traces.map(({ resultCode, user, project, body }) => [resultCode, user, project?.length, body])).toEqual([
    [Code.InvalidArgument, 'admin', 128, ''],
    [Code.Unauthenticated, '', undefined, ''],
    [Code.Unauthenticated, '', undefined, ''],
  ]);
  expect(rig.calls.filter((call) => call.method === method).map(({ code }) => code)).toEqual([
    'Unauthenticated',
    'Unauthenticated',
    'InvalidArgument',
  ]);
});
