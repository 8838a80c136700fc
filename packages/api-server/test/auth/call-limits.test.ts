import type { IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import { json } from 'node:stream/consumers';
import {
  adminV2,
  ApiError,
  apiV2,
  create,
  createClient,
  infraV2,
  methodAccess,
  methodPath,
  type MethodAccess,
} from '@ingot/api';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCallLimits } from '../../src/auth/call-limits.ts';
import type { Caller } from '../../src/auth/caller.ts';
import { failure, startRig, type Rig } from '../support.ts';

const MINUTE = 60_000;
const wait = infraV2.BootService.method.wait;
const register = infraV2.SwitchService.method.register;
const methods = new Map<string, MethodAccess>(
  [wait, register, apiV2.VersionService.method.get].map((method) => [methodPath(method), methodAccess(method)]),
);
const machine = 'aaaaaaaa-0000-4000-8000-00000000000a';

function limits(perToken = 6) {
  const [clock, log] = [new MockClock(), new MemoryLogger()];
  const made = createCallLimits({ perMinute: { token: perToken, anonymous: 3 }, methods, clock, log });
  /** Whether this call is admitted, or when to come again. */
  const call = (caller: Caller, peer = '10.0.0.7:41234'): true | number => {
    try {
      made.admit(caller, peer);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.codeName !== 'ResourceExhausted') throw error;
      expect(error.message).toMatch(/may make \d+ calls a minute: try again in \d+ s, and less often$/);
      return error.retryAfterMs ?? Number.NaN;
    }
  };
  return { clock, log, call };
}

function token(uuid: string, rights: Partial<apiV2.Token> = {}): Caller {
  return { kind: 'token', token: Object.assign(create(apiV2.TokenSchema, { uuid }), rights) };
}
const anonymous: Caller = { kind: 'anonymous' };
const permission = (subject: string, ...paths: string[]) => ({
  permissions: [create(apiV2.MethodPermissionSchema, { subject, methods: paths })],
});

test('a token makes a minute’s calls at once, and then one after the other', async () => {
  const { clock, log, call } = limits();
  const mine = token('one', { machineRoles: { [machine]: apiV2.MachineRole.EDITOR } });
  for (let index = 0; index < 6; index += 1) expect(call(mine)).toBe(true);
  expect(call(mine)).toBe(MINUTE / 6);
  await clock.advance(MINUTE / 6 - 1);
  expect(call(mine)).toBe(1);
  await clock.advance(1);
  expect(call(mine)).toBe(true);
  expect(call(mine)).toBe(MINUTE / 6);
  expect(call(token('another'))).toBe(true);
  // Once for each time that it was reached, and no more for each call.
  expect(log.records.map(({ fields }) => fields['event'])).toEqual(['api.limit', 'api.limit']);
});

test('however long somebody was quiet, no more than a minute’s calls come at once', async () => {
  const { clock, call } = limits();
  expect(call(token('one'))).toBe(true);
  await clock.advance(1000 * MINUTE);
  for (let index = 0; index < 6; index += 1) expect(call(token('one'))).toBe(true);
  expect(call(token('one'))).not.toBe(true);
});

test('whatever the times of the calls, none gets more than its limit, and whoever comes when told to gets in', async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.integer({ min: 1, max: 40 }), async (list, limit) => {
      const { clock, call } = limits(limit);
      let admitted = 0;
      for (const gap of list) {
        await clock.advance(gap);
        const answer = call(token('one'));
        if (answer === true) admitted += 1;
        expect(admitted).toBeLessThanOrEqual(limit + (clock.monotonic() * limit) / MINUTE + 1e-6);
        if (answer === true) continue;
        await clock.advance(answer);
        expect(call(token('one'))).toBe(true);
        admitted += 1;
      }
    }),
  );
});

test.each<[string, boolean, Partial<apiV2.Token>]>([
  ['an administrator', false, { adminRole: apiV2.AdminRole.EDITOR }],
  ['one who may only look', false, { adminRole: apiV2.AdminRole.VIEWER }],
  ['infrastructure', false, { infraRole: apiV2.InfraRole.EDITOR }],
  ['a token that lists methods of infrastructure', false, permission('', methodPath(register))],
  ['a token that lists a method of one machine', true, permission(machine, methodPath(wait))],
  ['a token that lists a public method', true, permission('', methodPath(apiV2.VersionService.method.get))],
  ['a person', true, { tokenType: apiV2.TokenType.USER }],
  ['a machine', true, { machineRoles: { [machine]: apiV2.MachineRole.EDITOR } }],
])('%s is limited: %s', (_name, isLimited, rights) => {
  const { call } = limits();
  const answers = Array.from({ length: 7 }, () => call(token('one', rights)));
  expect(answers.at(-1) !== true).toBe(isLimited);
});

test.each([
  ['10.0.0.7:1', '10.0.0.7:2', true],
  ['10.0.0.7:1', '10.0.0.8:1', false],
  ['[2001:db8::7]:1', '[2001:db8:0:0:1::9]:1', true],
  ['[2001:db8::7]:1', '[2001:db8:0:1::7]:1', false],
  ['[fe80::1%eth0]:1', '[fe80::2%eth0]:1', true],
  ['[::ffff:10.0.0.7]:1', '10.0.0.7:1', true],
  ['[::ffff:10.0.0.7]:1', '[::ffff:10.0.0.8]:1', false],
  ['unix', 'unix', true],
])('without a token %s and %s count together: %s', (one, other, together) => {
  const { call } = limits();
  for (let index = 0; index < 3; index += 1) expect(call(anonymous, one)).toBe(true);
  expect(call(anonymous, one)).toBe(MINUTE / 3);
  expect(call(anonymous, other) !== true).toBe(together);
});

test('of more callers than are remembered, the one that was quiet for longest begins anew', () => {
  const { call } = limits(1);
  const [first, second] = [token('first'), token('second')];
  expect([call(first), call(second)]).toEqual([true, true]);
  for (let index = 0; index < 16_383; index += 1) call(token(`other-${index}`));
  expect(call(second)).not.toBe(true);
  expect(call(first)).toBe(true);
});

describe('a server with limits', () => {
  const callsPerMinute = { token: 3, anonymous: 4 };
  const path = methodPath(apiV2.VersionService.method.get);

  /** What a browser's or metal-stack's client is answered. */
  async function post(rig: Rig, bearer?: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const sent = https(`${rig.url}${path}`, { method: 'POST', ca: rig.ca, agent: false, headers }).end('{}');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    const { statusCode: status, headers: answered } = response;
    return { status, retryAfter: answered['retry-after'], body: await json(response) };
  }

  test('says over gRPC and Connect when to ask again', async () => {
    await using rig = await startRig({ clock: new MockClock({ nowMs: Date.now() }), callsPerMinute });
    const secret = await rig.mint({ machineRoles: { [machine]: apiV2.MachineRole.EDITOR } });
    const version = createClient(apiV2.VersionService, rig.channel(secret));
    for (let index = 0; index < 3; index += 1) await version.get({});
    expect(await failure(version.get({}))).toMatchObject({ codeName: 'ResourceExhausted', retryAfterMs: 20_000 });
    const waiting = createClient(infraV2.BootService, rig.channel(secret)).wait({ uuid: machine });
    expect(await failure(Array.fromAsync(waiting))).toMatchObject({ codeName: 'ResourceExhausted' });
    expect(await post(rig, secret)).toMatchObject({
      status: 429,
      retryAfter: '20',
      body: { code: 'resource_exhausted' },
    });
    expect(await post(rig)).toMatchObject({ status: 200, retryAfter: undefined });
    const admin = createClient(apiV2.VersionService, rig.admin);
    for (let index = 0; index < 10; index += 1) await admin.get({});
  });

  test('lets nobody fill the audit with calls that it refuses', async () => {
    await using rig = await startRig({ clock: new MockClock({ nowMs: Date.now() }), callsPerMinute });
    const codes: unknown[] = [];
    for (const bearer of [undefined, 'bad', undefined, 'worse', 'bad', undefined])
      codes.push(
        (await failure(createClient(adminV2.MachineService, rig.channel(bearer)).delete({ uuid: machine }))).codeName,
      );
    const [bad, much] = ['Unauthenticated', 'ResourceExhausted'];
    expect(codes).toEqual([bad, bad, bad, bad, much, much]);
    const audit = createClient(adminV2.AuditService, rig.admin);
    const { traces } = await audit.list({ query: { method: methodPath(adminV2.MachineService.method.delete) } });
    expect(traces).toHaveLength(4);
  });
});
