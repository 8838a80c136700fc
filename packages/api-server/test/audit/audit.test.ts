import { adminV2, apiV2, Code, create, createClient, timestampFromMs, type MessageInitShape } from '@ingot/api';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { auditUuid, createAudit } from '../../src/audit/audit-calls.ts';
import { createAuditStore, type AuditLine } from '../../src/audit/audit-store.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';
import { failure, startRig } from '../support.ts';

const { AuditPhase, MachineState } = apiV2;
const { REQUEST, RESPONSE } = AuditPhase;

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

test('lines are found by who, what, when, whence and how it ended, and by the project', async () => {
  const start = Date.UTC(2026, 5, 1);
  const clock = new MockClock({ nowMs: start });
  await using place = await sqlitePlace();
  await using database = await place.open(clock);
  const audit = createAuditStore(database, clock);
  const base = { tenant: 't1', project: '', resultCode: undefined, body: '' };
  const lines: readonly AuditLine[] = [
    { ...base, uuid: 'u1', phase: REQUEST, user: 'alice', method: '/a/Make', sourceIp: '10.0.0.1', project: 'p1' },
    { ...base, uuid: 'u1', phase: RESPONSE, user: 'alice', method: '/a/Make', sourceIp: '10.0.0.1', resultCode: 0 },
    { ...base, uuid: 'u2', phase: REQUEST, user: 'bob', method: '/a/Drop', sourceIp: '10.0.0.2', tenant: 't2' },
  ];
  for (const line of lines) {
    await audit.add(line);
    await clock.advance(1000);
  }
  const found = async (query: MessageInitShape<typeof apiV2.AuditQuerySchema>): Promise<string[]> =>
    (await audit.list(create(apiV2.AuditQuerySchema, query))).map(({ uuid, phase }) => `${uuid} ${phase}`);
  const [asked, answered, other] = [`u1 ${REQUEST}`, `u1 ${RESPONSE}`, `u2 ${REQUEST}`];
  for (const [query, expected] of [
    [{}, [other, answered, asked]],
    [{ uuid: 'u1' }, [answered, asked]],
    [{ user: 'bob' }, [other]],
    [{ project: 'p1' }, [asked]],
    [{ method: '/a/Drop' }, [other]],
    [{ sourceIp: '10.0.0.2' }, [other]],
    [{ resultCode: 0 }, [answered]],
    [{ phase: RESPONSE }, [answered]],
    [{ from: timestampFromMs(start + 1000) }, [other, answered]],
    [{ to: timestampFromMs(start + 1000) }, [answered, asked]],
    [{ from: timestampFromMs(start + 1), to: timestampFromMs(start + 1999) }, [answered]],
    [{ limit: 2 }, [other, answered]],
  ] satisfies [MessageInitShape<typeof apiV2.AuditQuerySchema>, string[]][])
    expect(await found(query), JSON.stringify(Object.keys(query))).toEqual(expected);
  expect((await audit.list(undefined, 't2')).map(({ uuid }) => uuid)).toEqual(['u2']);
  expect((await audit.get('u1', undefined))?.phase).toBe(RESPONSE);
  expect((await audit.get('u1', REQUEST, 't1'))?.project).toBe('p1');
  expect(await audit.get('u1', REQUEST, 't2')).toBeUndefined();
  // What is 90 days old is kept, what is older is forgotten.
  await clock.advance(90 * 24 * 60 * 60 * 1000 - 2000);
  await audit.sweep();
  expect(await found({})).toEqual([other, answered]);
});

test('a call that cannot be written down is not made, and the log says so', async () => {
  const log = new MemoryLogger();
  await using rig = await startRig();
  const lost = new Error('disk full');
  const stores = { ...rig.plane.stores, audit: { ...rig.plane.stores.audit, add: () => Promise.reject(lost) } };
  const method = '/metalstack.admin.v2.TenantService/Create';
  const write = createAudit(stores, new Map(), log);
  const record = { requestId: 'ff', method, peer: '[2001:db8::1]:4711', outcome: 'started' } as const;
  const call = { ...record, request: create(adminV2.TenantServiceCreateRequestSchema), caller: undefined };
  await expect(write(call)).rejects.toBe(lost);
  expect(log.records.map(({ fields }) => fields)).toMatchObject([
    { event: 'audit.lost', requestId: 'ff', method, outcome: 'started', err: lost },
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
