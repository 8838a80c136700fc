import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiError, Code } from '@ingot/api';
import { MockNetwork } from '@ingot/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tokenLife } from '../src/life/token-life.ts';
import { Secret } from '../src/secret.ts';
import { timeServer } from './time-server.ts';
import { pem, Rig } from './life-rig.ts';
import type { RigOptions } from './life-rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const timeout = 30_000;
const hourMs = 3_600_000;

/** Looks like a token of the API; nobody here checks its signature. */
function jwt(name: string, fromMs: number, untilMs: number): string {
  const claims = { jti: name, iat: Math.floor(fromMs / 1000), exp: Math.floor(untilMs / 1000) };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${name}`;
}

const nameOf = (token: string): string => token.split('.')[2] ?? '';

/** A boot server that gives a new token at each renewal: `token-0`, `token-1`, … */
function renewing(
  lifeMs: number,
  change: (given: number) => object = () => ({}),
): { options: RigOptions; urls: string[] } {
  const urls: string[] = [];
  const httpGet: RigOptions['httpGet'] = (url) => {
    const given = urls.push(url.href) - 1;
    const { client } = rig.config;
    const now = rig.clock.now();
    const body = {
      ...rig.config,
      client: {
        ...(typeof client === 'object' ? client : {}),
        metal_hammer_token: jwt(`token-${given}`, now, now + lifeMs),
        ...change(given),
      },
      renewal_url: `http://10.0.0.1:8080/config/x?renewal=renewal-${given}`,
    };
    return Promise.resolve({ status: 200, body: JSON.stringify(body), dateMs: now });
  };
  return { options: { httpGet }, urls };
}

test(
  'the token is renewed before a quarter of its life is left, and the stream goes on with the new one',
  { timeout },
  async () => {
    const { options, urls } = renewing(8 * hourMs);
    await rig.start(options);
    await rig.until(() => rig.waiting === 1);
    const startMs = rig.clock.monotonic();
    await rig.until(() => urls.length === 2, 600_000);
    expect((rig.clock.monotonic() - startMs) / hourMs).toBeLessThan(8 * 0.75 + 0.5);
    expect((rig.clock.monotonic() - startMs) / hourMs).toBeGreaterThan(8 * 0.6);
    await rig.until(() => rig.waiting === 1 && rig.tokens.some((token) => nameOf(token) === 'token-1'));
    expect(urls).toEqual([
      'http://10.0.0.1:8080/config/x?nonce=first-nonce',
      'http://10.0.0.1:8080/config/x?renewal=renewal-0',
    ]);
    expect(rig.steps.filter((event) => event.startsWith('WAITING'))).toHaveLength(1);
    await rig.clock.advance(600_000);
    expect([rig.reboots, rig.pulse.stalled()]).toEqual([0, undefined]);
    expect(rig.state.config()).toContain('renewal-1');
  },
);

test('a token that is not taken any more is renewed at once, and the call repeated', { timeout }, async () => {
  const { options } = renewing(72 * hourMs);
  const authenticate = (bearer: string): void => {
    if (nameOf(bearer) === 'token-0') throw new ApiError(Code.Unauthenticated, 'this token was revoked');
  };
  await rig.start({ ...options, authenticate });
  await rig.untilEvent('WAITING');
  expect(rig.said).toContain('config asking for the config again: this token was revoked');
  expect(rig.steps[0]).toBe('PREPARING: starting discovery agent 0.1.0');
});

test(
  'a time server counts for more than a boot server whose clock is wrong, after a renewal, too',
  { timeout },
  async () => {
    const { clock } = rig;
    const network = new MockNetwork({ clock });
    const [wall, monotonic] = [clock.now(), clock.monotonic()];
    const now = (): number => wall + clock.monotonic() - monotonic;
    await timeServer({ network, clock, address: '10.0.0.2', now });
    const { options, urls } = renewing(hourMs);
    await rig.start({
      config: { ntp_servers: ['10.0.0.2'] },
      network: network.host('machine', '10.0.0.9'),
      httpGet: async (...asked) => {
        const answer = await options.httpGet?.(...asked);
        if (answer === undefined) throw new Error('no answer');
        return { ...answer, dateMs: now() - 600_000 };
      },
      run: (_file, args) => {
        const seconds = Number(/^@(\d+)$/.exec(args[2] ?? '')?.[1]);
        if (seconds > 0) clock.stepWallClock(seconds * 1000 - clock.now());
        return seconds > 0 ? Promise.resolve('') : Promise.reject(new Error('no such program'));
      },
    });
    await rig.until(() => rig.waiting === 1);
    await rig.until(() => urls.length > 2, 10_000);
    expect(rig.lines.flatMap((line) => /clock was .*/.exec(line)?.[0] ?? [])).toEqual([
      'clock was 600 s ahead of the boot server, set',
      expect.stringMatching(/^clock was (?:600|601) s behind the time server 10\.0\.0\.2, set$/),
    ]);
    expect(Math.abs(clock.now() - now())).toBeLessThan(3_000);
  },
);

test('a new authority of the API is learnt from the next config', { timeout }, async () => {
  const { options } = renewing(72 * hourMs, (given) => (given === 0 ? { ca_cert: pem('other-ca.pem') } : {}));
  await rig.start(options);
  await rig.untilEvent('WAITING');
  expect(rig.said).toMatch(/asking for the config again: .*certificate/i);
});

test('a boot server that refuses the renewal is asked again, not oftener than once a minute', { timeout }, async () => {
  let refusals = 0;
  const askedAt: number[] = [];
  const { options } = renewing(72 * hourMs);
  const httpGet: RigOptions['httpGet'] = async (url, timeoutMs, signal) => {
    if (!url.search.startsWith('?renewal=')) return options.httpGet?.(url, timeoutMs, signal) ?? Promise.reject(url);
    askedAt.push(rig.clock.monotonic());
    if (refusals++ < 3) return { status: 403, body: '{"message":"not yours"}', dateMs: undefined };
    return options.httpGet?.(url, timeoutMs, signal) ?? Promise.reject(new Error('unused'));
  };
  const authenticate = (bearer: string): void => {
    if (nameOf(bearer) === 'token-0') throw new ApiError(Code.Unauthenticated, 'expired');
  };
  await rig.start({ httpGet, authenticate });
  await rig.untilEvent('WAITING');
  expect(askedAt).toHaveLength(4);
  for (const [index, at] of askedAt.entries())
    if (index > 0) expect(at - (askedAt[index - 1] ?? 0)).toBeGreaterThanOrEqual(60_000);
  expect(rig.said).toContain('config not renewed: 10.0.0.1:8080 refuses the config');
});

test('no secret reaches console, log, events or the screen', { timeout }, async () => {
  const { options } = renewing(2 * hourMs);
  await rig.start({
    ...options,
    config: { logging: { endpoint: 'https://loki/', basic_auth: { user: 'me', password: 'loki-password' } } },
  });
  await rig.until(() => rig.waiting === 1);
  await rig.until(() => new Set(rig.tokens).size > 1, 10_000);
  const everything = [
    rig.said,
    readFileSync(join(rig.directory, 'agent.log'), 'utf8'),
    rig.events.join('\n'),
    JSON.stringify(rig.board.view()),
  ].join('\n');
  const secrets = [...new Set(rig.tokens), 'first-nonce', 'renewal-0', 'renewal-1', 'loki-password'];
  expect(secrets.length).toBeGreaterThanOrEqual(6);
  for (const secret of secrets) expect(everything).not.toContain(secret);
});

test('an API that repeats the token in its refusal gives it away nowhere', { timeout }, async () => {
  let refusals = 0;
  const { options } = renewing(8 * hourMs);
  await rig.start({
    ...options,
    boot: {
      register: ({ uuid, partition }) => {
        if (refusals++ === 0)
          throw new ApiError(Code.InvalidArgument, `bad header "authorization: Bearer ${rig.tokens.at(-1)}"`);
        return { uuid, size: 'c1-large', partition };
      },
    },
  });
  await rig.untilEvent('WAITING');
  expect(rig.events).toContain('CRASHED: register: bad header "authorization: Bearer [secret]"');
  const everything = rig.said + rig.events.join() + readFileSync(join(rig.directory, 'agent.log'), 'utf8');
  for (const token of new Set(rig.tokens)) expect(everything).not.toContain(token);
});

test('the life of a token is read from it, and of nothing else', () => {
  expect(tokenLife(new Secret(jwt('x', 5_000, 9_000)))).toEqual({ fromMs: 5_000, untilMs: 9_000 });
  for (const text of ['', 'opaque', 'a.b.c', 'e30.e30.x', jwt('x', 9_000, 5_000)])
    expect(tokenLife(new Secret(text))).toBeUndefined();
});
