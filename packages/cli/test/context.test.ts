import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveContext } from '../src/context.ts';
import type { CliIo } from '../src/io.ts';
import { run, startApi, type TestApi } from './api-kit.ts';

let api: TestApi;
let home: string;
beforeAll(async () => {
  api = await startApi();
  home = await mkdtemp(join(tmpdir(), 'ingot-home-'));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

async function writeConfig(file: string, text: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

function shell(changes: Partial<CliIo>): CliIo {
  return {
    stdout: () => {},
    stderr: () => {},
    env: {},
    home: '/nonexistent',
    labConfigFile: '/nonexistent/cli.yaml',
    now: () => 0,
    ...changes,
  };
}

test('without any API server, the command says what to do', async () => {
  const { status, stderr } = await run(['machine', 'ls']);
  expect(status).toBe(2);
  expect(stderr).toContain('no API server is known');
  for (const way of ['ingot lab up', '--api-url', 'INGOT_API_URL', '/nonexistent/.config/ingot/config.yaml']) {
    expect(stderr).toContain(way);
  }
});

test('the running lab is what the command talks to unless told otherwise', async () => {
  const labConfigFile = await writeConfig(
    join(home, 'lab/cli.yaml'),
    `currentContext: lab\ncontexts:\n  - name: lab\n    apiUrl: ${api.url}\n    apiCaFile: ${api.caFile}\n    apiTokenFile: ${api.tokenFile}\n`,
  );
  expect((await run(['switch', 'ls'], {}, { labConfigFile })).stdout).toContain('leaf01');
});

test("the user's own configuration goes before the lab's, and --context picks from both", async () => {
  await writeConfig(
    join(home, '.config/ingot/config.yaml'),
    'current-context: prod\ncontexts:\n  - { name: prod, apiUrl: https://prod:9443, apiCaFile: ca.pem, apiTokenFile: /etc/token }\n',
  );
  const labConfigFile = await writeConfig(
    join(home, 'lab/cli.yaml'),
    'currentContext: lab\ncontexts:\n  - { name: lab, apiUrl: https://lab:9443, apiCaFile: /l/ca, apiTokenFile: /l/token }\n',
  );
  const io = shell({ home, labConfigFile });
  expect(resolveContext({}, io)).toMatchObject({
    url: 'https://prod:9443',
    caFile: join(home, '.config/ingot/ca.pem'),
    tokenFile: '/etc/token',
    tokenFileFrom: `context prod of ${join(home, '.config/ingot/config.yaml')}`,
  });
  expect(resolveContext({ context: 'lab' }, io).url).toBe('https://lab:9443');
  expect(resolveContext({}, { ...io, env: { INGOT_CONTEXT: 'lab' } }).url).toBe('https://lab:9443');
  expect(() => resolveContext({ context: 'labb' }, io)).toThrow('there is no context labb; did you mean lab?');
});

test('flags go before the environment', () => {
  const io = shell({
    env: { INGOT_API_URL: 'https://env:1', INGOT_API_CA_FILE: 'env.pem', INGOT_API_TOKEN_FILE: 'env.token' },
  });
  expect(resolveContext({ apiUrl: 'https://flag:1', apiTokenFile: 'flag.token' }, io)).toMatchObject({
    url: 'https://flag:1',
    caFile: 'env.pem',
    caFileFrom: 'INGOT_API_CA_FILE',
    tokenFile: 'flag.token',
    tokenFileFrom: '--api-token-file',
  });
});

test("a context's token is never sent to a server that was named otherwise", async () => {
  const labConfigFile = await writeConfig(
    join(home, 'lab2/cli.yaml'),
    'currentContext: lab\ncontexts:\n  - { name: lab, apiUrl: https://lab:9443, apiCaFile: /l/ca, apiTokenFile: /l/token }\n',
  );
  expect(() => resolveContext({ apiUrl: 'https://other:9443' }, shell({ labConfigFile }))).toThrow(
    /the API server comes from --api-url, which lacks\n.*apiCaFile[^]*apiTokenFile/,
  );
});

test.each([
  ['contexts: {}', /contexts is not a list/],
  ['currentContext: x\ncontexts: []', /currentContext is x, but there is no such context/],
  ['contexts: [', /config\.yaml: /],
  ['contexts: [{}]', /contexts\[0\] has no name/],
])('a configuration %j is refused in words', async (text, message) => {
  const other = await mkdtemp(join(tmpdir(), 'ingot-home-'));
  await writeConfig(join(other, '.config/ingot/config.yaml'), text);
  const { status, stderr } = await run(['machine', 'ls'], {}, { home: other });
  await rm(other, { recursive: true });
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

test('a token that is not accepted ends with 4 and says which file it came from', async () => {
  const file = await writeConfig(join(home, 'expired.token'), 'expired');
  const { status, stderr } = await api.run('machine', 'ls', '--api-token-file', file);
  expect(status).toBe(4);
  expect(stderr).toMatch(/does not accept the token in .*expired\.token: this token has expired\n.*ingot token create/);
});

test('a token without the right ends with 4 and names the role', async () => {
  const file = await writeConfig(join(home, 'weak.token'), 'weak-token');
  const { status, stderr } = await api.run('machine', 'ls', '--api-token-file', file);
  expect(status).toBe(4);
  expect(stderr).toContain('does not allow this: /metalstack.admin.v2.MachineService/List takes the role ADMIN_VIEWER');
});

test('a server that is not there ends with 5', async () => {
  const { status, stderr } = await api.run('machine', 'ls', '--api-url', 'https://127.0.0.1:1');
  expect(status).toBe(5);
  expect(stderr).toMatch(
    /https:\/\/127\.0\.0\.1:1 cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1\nIs the server up/,
  );
});

test('a server with another certificate ends with 5 and points to the CA', async () => {
  await using other = await startApi();
  const { status, stderr } = await api.run('machine', 'ls', '--api-ca-file', other.caFile);
  expect(status).toBe(5);
  expect(stderr).toMatch(/cannot be reached: .*\nIts certificate is not the one that .*ca\.pem vouches for/);
});

test.each([
  [
    '--api-ca-file',
    '/nonexistent/ca.pem',
    1,
    /\/nonexistent\/ca\.pem \(the CA of the API server.*there is no such file/,
  ],
  ['--api-token-file', '/nonexistent/token', 1, /\/nonexistent\/token \(the token.*there is no such file/],
  ['--api-url', 'http://10.0.0.1', 2, /write https:\/\/host:port or unix:\/path/],
])('%s %s is refused in words', async (flag, value, wanted, message) => {
  const { status, stderr } = await api.run('machine', 'ls', flag, value);
  expect(status).toBe(wanted);
  expect(stderr).toMatch(message);
});

test('a CA file that is none is refused in words', async () => {
  const file = await writeConfig(join(home, 'no.pem'), '-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n');
  const { status, stderr } = await api.run('machine', 'ls', '--api-ca-file', file);
  expect(status).toBe(1);
  expect(stderr).toMatch(/no\.pem is no CA certificate in PEM form/);
});
