import { MockClock, mockEntropy } from '@ingot/net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/life/agent-config.ts';
import type { AgentConfig } from '../src/life/agent-config.ts';
import { configUrl, parseCmdline } from '../src/life/cmdline.ts';
import { obtainConfig } from '../src/life/config-fetch.ts';
import { Secret } from '../src/secret.ts';
import type { HttpAnswer } from '../src/life/http-get.ts';
import { defaultPolicy } from '../src/life/agent-policy.ts';
import { Board } from '../src/life/board.ts';
import { createReporter } from '../src/life/reporter.ts';

const nested: string = JSON.stringify({
  client: { metal_apiserver_url: 'https://10.0.0.1:9443', metal_hammer_token: 'secret-token', ca_cert: 'PEM' },
  ntp_servers: [],
  dns_servers: [],
  partition: 'lab',
  logging: null,
  debug: false,
});
const config: AgentConfig = {
  apiUrl: 'https://10.0.0.1:9443',
  token: new Secret('secret-token'),
  caCert: 'PEM',
  partition: 'lab',
  ntpServers: [],
  dnsServers: [],
  debug: false,
  renewalUrl: undefined,
  policy: defaultPolicy,
  loki: undefined,
};

test('both generations of the format give the same config', () => {
  const flat = {
    metal_apiserver_url: 'https://10.0.0.1:9443',
    metal_apiserver_token_for_hammer: 'secret-token',
    ca_cert: 'PEM',
    partition: 'lab',
  };
  expect(parseConfig(nested)).toEqual({ ok: true, value: config });
  expect(parseConfig(JSON.stringify(flat))).toEqual({ ok: true, value: config });
});

test('what is missing is named', () => {
  expect(parseConfig('{"client":{"metal_apiserver_url":"https://a"},"partition":"lab"}')).toEqual({
    ok: false,
    offset: 0,
    reason: 'the config lacks client.metal_hammer_token',
  });
  expect(parseConfig('<html>')).toMatchObject({ ok: false, reason: 'the config is no JSON' });
});

test('no body makes the parser throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => void parseConfig(body)));
});

test('the last PIXIE_API_URL of the command line counts, and only http addresses do', () => {
  const url = (text: string): string | undefined => configUrl(parseCmdline(text))?.href;
  expect(url('console=ttyS0 PIXIE_API_URL=http://a/ PIXIE_API_URL=http://10.0.0.1:8080/config/x?nonce=5 quiet\n')).toBe(
    'http://10.0.0.1:8080/config/x?nonce=5',
  );
  expect(url('PIXIE_API_URL=ftp://a/')).toBeUndefined();
  expect(url('quiet')).toBeUndefined();
});

async function obtain(
  answers: readonly (HttpAnswer | Error)[],
  kept?: string,
  hostKey?: string,
): Promise<{
  given: AgentConfig;
  lines: string[];
  tookMs: number;
  stored: string | undefined;
  asked: number;
  urls: string[];
}> {
  const clock = new MockClock();
  const lines: string[] = [];
  const urls: string[] = [];
  let stored = kept;
  let asked = 0;
  let given: AgentConfig | undefined;
  void obtainConfig({
    url: new URL('http://10.0.0.1:8080/config/x?nonce=5'),
    get: (url) => {
      urls.push(url.href);
      const answer = answers[asked++];
      return answer instanceof Error || answer === undefined ? Promise.reject(answer) : Promise.resolve(answer);
    },
    state: { config: () => stored, keepConfig: (body) => (stored = body), sshHostKey: () => hostKey },
    clock,
    entropy: mockEntropy(1),
    reporter: createReporter({
      clock,
      state: { setPhase: () => undefined, log: (line) => lines.push(line) },
      board: new Board(() => []),
      uptime: () => 0,
      write: (line) => lines.push(line),
    }),
    signal: new AbortController().signal,
    onServerTime: () => Promise.resolve(),
  }).then((value) => (given = value));
  await clock.advanceUntil(() => given !== undefined);
  if (given === undefined) throw new Error('no config');
  return { given, lines, tookMs: clock.monotonic(), stored, asked, urls };
}
const ok: HttpAnswer = { status: 200, body: nested, dateMs: undefined };

test('an unreachable boot server is asked until it answers, and every try is said', async () => {
  const { given, lines, stored } = await obtain([
    new Error('connect ECONNREFUSED'),
    { status: 503, body: '{"code":"x","message":"API away"}', dateMs: undefined },
    ok,
  ]);
  expect(given).toEqual(config);
  expect(stored).toBe(nested);
  expect(lines.filter((line) => line.startsWith('INGOT'))).toEqual([
    expect.stringMatching(
      /^INGOT 0\.00 config 10\.0\.0\.1:8080 gives no config: connect ECONNREFUSED; asking again in 1 s$/,
    ),
    expect.stringContaining('status 503 API away; asking again in'),
  ]);
});

test('a refusal is said with what to do, and asked about only once a minute', async () => {
  const { lines, tookMs } = await obtain([
    { status: 403, body: '{"code":"nonce-used","message":"nonce was used"}', dateMs: undefined },
    ok,
  ]);
  expect(tookMs).toBe(60_000);
  expect(lines[0]).toContain('nonce was used. Restart the machine; asking again in 60 s');
});

test('after a crash the kept config is used, since the boot server gives none twice', async () => {
  const { given, asked } = await obtain([], nested);
  expect(given).toEqual(config);
  expect(asked).toBe(0);
});

test('the token never reaches console or log', async () => {
  const { lines } = await obtain([{ ...ok, body: nested.replace('"partition":"lab",', '') }, ok]);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('\n')).not.toContain('secret-token');
});

const reportUrl = 'http://10.0.0.1:8080/_/up?token=once';
const reporting: HttpAnswer = { ...ok, body: nested.replace('{', `{"boot_report_url":"${reportUrl}",`) };

test('the boot server is told once that the agent is up, where it wants to hear it', async () => {
  const { urls, lines } = await obtain([reporting, { status: 200, body: 'noted', dateMs: undefined }]);
  expect(urls).toEqual(['http://10.0.0.1:8080/config/x?nonce=5', reportUrl]);
  expect(lines).toEqual([]);
  expect((await obtain([], reporting.body)).urls).toEqual([]);
});

test('where SSH is open, the boot server is told by what host key', async () => {
  const { urls } = await obtain([reporting, { status: 200, body: 'noted', dateMs: undefined }], undefined, 'AA+/==');
  expect(urls[1]).toBe(`${reportUrl}&host_key=AA%2B%2F%3D%3D`);
  expect(new URL(urls[1] ?? '').searchParams.get('host_key')).toBe('AA+/==');
});

test.each([
  ['is refused', { status: 403, body: 'no', dateMs: undefined }, 'status 403'],
  ['is lost', new Error('no answer within 2000 ms'), 'no answer within 2000 ms'],
])('a report that %s is said and holds nothing up', async (_what, answer, words) => {
  const { given, lines, tookMs } = await obtain([reporting, answer]);
  expect(given).toMatchObject(config);
  expect(tookMs).toBe(0);
  expect(lines[0]).toContain(words);
  expect(lines.join('\n')).not.toContain('token=once');
});

test.each(['ftp://10.0.0.1/x', 'no url', ''])('the report address %j is left alone', (url) => {
  const parsed = parseConfig(nested.replace('{', `{"boot_report_url":${JSON.stringify(url)},`));
  expect(parsed).toEqual({ ok: true, value: config });
});

test.each([
  [{}, 'metal', undefined],
  [{ bmc_user: 'ops', bmc_boot_order: 'pxe' }, 'ops', 'pxe'],
  [{ bmc_user: '', bmc_boot_order: 'leave' }, undefined, undefined],
])('the BMC policy %j makes the user %s and boots %s', (agent, bmcUser, bmcBootOrder) => {
  const parsed = parseConfig(nested.replace('{', `{"agent":${JSON.stringify(agent)},`));
  expect(parsed).toMatchObject({ ok: true, value: { policy: { bmcUser, bmcBootOrder } } });
});

test.each([{ bmc_user: 'a name' }, { bmc_user: 'x'.repeat(17) }, { bmc_boot_order: 'usb' }])(
  'the BMC policy %j is refused',
  (agent) => {
    expect(parseConfig(nested.replace('{', `{"agent":${JSON.stringify(agent)},`)).ok).toBe(false);
  },
);
