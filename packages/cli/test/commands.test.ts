import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiV2 } from '@ingot/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi } from './api-kit.ts';
import { UUID_1, UUID_2, UUID_3 } from './rack.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test.each([
  ['machine-ls', ['machine', 'ls']],
  ['machine-ls-wide', ['machine', 'ls', '-o', 'wide']],
  ['machine-describe', ['machine', 'describe', UUID_1]],
  ['switch-ls', ['switch', 'ls']],
  ['switch-ls-wide', ['switch', 'ls', '-o', 'wide']],
  ['switch-describe', ['switch', 'describe', 'leaf01']],
  ['switch-connected-machines', ['switch', 'connected-machines']],
])('%s prints its golden output', async (name, argv) => {
  const { status, stdout, stderr } = await api.run(...argv);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  await expect(stdout).toMatchFileSnapshot(`goldens/${name}.txt`);
});

test('machines and switches are listed by partition, rack and id, as a person would sort them', async () => {
  const machines = await api.run('machine', 'ls', '--no-headers');
  expect(machines.stdout.split('\n').map((line) => line.slice(0, 36))).toEqual([UUID_1, UUID_2, UUID_3, '']);
  const switches = await api.run('switch', 'ls', '--no-headers');
  expect(switches.stdout.split('\n').map((line) => line.slice(0, 6))).toEqual(['leaf01', 'leaf02', 'leaf10', '']);
});

test.each([
  [['--partition', 'lab', '--rack', 'rack-10'], [UUID_3]],
  [['--size', 'c1-large'], [UUID_2]],
  [['--id', UUID_1], [UUID_1]],
  [['--partition', 'elsewhere'], []],
])('machine ls %j lists %j', async (flags, uuids) => {
  const { stdout } = await api.run('machine', 'ls', '--no-headers', ...flags);
  expect(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.slice(0, 36)),
  ).toEqual(uuids);
});

test('-o json is the JSON mapping of the messages, from which they can be read again', async () => {
  const { stdout } = await api.run('machine', 'ls', '-o', 'json', '--id', UUID_1);
  const [machine] = JSON.parse(stdout);
  expect(machine).toMatchObject({
    uuid: UUID_1,
    hardware: { memory: '8589934592' },
    status: { liveliness: 'MACHINE_LIVELINESS_ALIVE' },
  });
  const switches = await api.run('switch', 'ls', '-o', 'yaml', '--rack', 'rack-2');
  expect(switches.stdout).toMatch(/^- id: leaf10\n/);
});

test('describe shows hardware, disk inventory, neighbours, BMC and events, and never a password', async () => {
  for (const format of ['yaml', 'json']) {
    const { stdout } = await api.run('machine', 'describe', UUID_1, '-o', format);
    for (const part of ['EPYC 7402P', 'Ingot NVMe;S123', 'leaf01', '10.0.0.101:623', 'waiting for allocation']) {
      expect(stdout).toContain(part);
    }
    expect(stdout).not.toContain('very-secret');
  }
});

test('describe takes the beginning of an id when it is the only one', async () => {
  expect((await api.run('machine', 'describe', '1111')).stdout).toContain(UUID_3);
  const ambiguous = await api.run('machine', 'describe', '0000');
  expect(ambiguous.status).toBe(3);
  expect(ambiguous.stderr).toBe(`ingot: 2 machine ids begin with 0000; write more of it: ${UUID_1}, ${UUID_2}\n`);
});

test('what does not exist is said with the names that are near', async () => {
  expect(await api.run('switch', 'describe', 'leef01')).toEqual({
    status: 3,
    stdout: '',
    stderr: 'ingot: there is no switch leef01; did you mean leaf01 or leaf02?\n',
  });
  expect((await api.run('switch', 'describe', 'spine-99')).stderr).toBe(
    'ingot: there is no switch spine-99; there are leaf01, leaf02, leaf10\n',
  );
});

test('a rack without machines gives the titles, and an empty list', async () => {
  await using empty = await startApi();
  empty.clear();
  expect((await empty.run('machine', 'ls')).stdout).toMatch(/^ID +LAST EVENT/);
  expect((await empty.run('machine', 'ls', '-o', 'json')).stdout).toBe('[]\n');
  expect((await empty.run('machine', 'ls', '--no-headers')).stdout).toBe('');
  expect((await empty.run('machine', 'describe', 'x')).stderr).toContain('there is no machine x; there is none at all');
});

test('a list may be long, as that of thousands of machines is', async () => {
  await using large = await startApi();
  large.swell(5 * 2 ** 20);
  const { status, stdout, stderr } = await large.run('machine', 'ls', '-o', 'json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.length).toBeGreaterThan(5 * 2 ** 20);
});

test('what a machine says cannot reach the terminal as a control sequence', async () => {
  for (const argv of [
    ['machine', 'ls', '-o', 'wide'],
    ['machine', 'describe', UUID_3],
    ['machine', 'describe', UUID_3, '-o', 'json'],
  ]) {
    expect((await api.run(...argv)).stdout).not.toContain('\u001B');
  }
});

test('token create asks for what was said and prints nothing but the secret', async () => {
  const answer = await api.run(
    'token',
    'create',
    '--user=rack',
    '--description=agents',
    '--expires=7d',
    '--infra-role=editor',
    '--machine-role=*=editor',
    '--self-method=/metalstack.api.v2.TokenService/Refresh',
  );
  expect(answer).toEqual({ status: 0, stdout: 'a-new-secret\n', stderr: '' });
  expect(api.tokenRequests.at(-1)).toMatchObject({
    user: 'rack',
    tokenCreateRequest: {
      description: 'agents',
      expires: { seconds: 604_800n },
      infraRole: apiV2.InfraRole.EDITOR,
      machineRoles: { '*': apiV2.MachineRole.EDITOR },
      permissions: [{ visibility: { case: 'self', value: { methods: ['/metalstack.api.v2.TokenService/Refresh'] } } }],
    },
  });
});

test.each([
  [['--admin-role=viewer'], true],
  [['--project-role=*=viewer'], true],
  [['--tenant-role=acme=owner', '--self-method=/x.Y/Z'], true],
  [['--admin-role=viewer', '--no-reads'], false],
  [['--admin-role=editor'], false],
  [['--infra-role=editor'], false],
  [['--machine-role=*=editor'], false],
] as const)('token create %s: it reads what people read: %s', async (flags, reads) => {
  await api.run('token', 'create', '--user=x', ...flags);
  const permissions = api.tokenRequests.at(-1)?.tokenCreateRequest?.permissions ?? [];
  const methods = permissions.flatMap(({ visibility }) => (visibility.case === 'self' ? visibility.value.methods : []));
  expect(methods.includes('/metalstack.api.v2.PartitionService/List')).toBe(reads);
  expect(methods.includes('/x.Y/Z')).toBe(flags.join().includes('/x.Y/Z'));
  expect(methods.filter((path) => /Create|Update|Revoke|Refresh|Accept/.test(path))).toEqual([]);
});

test('token create --file leaves the secret in a file for the owner only, even if it was there before', async () => {
  const file = join(api.folder, 'new.token');
  await writeFile(file, 'old', { mode: 0o644 });
  const answer = await api.run('token', 'create', '--admin-role', 'viewer', '--file', file);
  expect(answer).toEqual({ status: 0, stdout: '', stderr: `wrote the token to ${file}\n` });
  expect(await readFile(file, 'utf8')).toBe('a-new-secret\n');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test.each([
  [['token', 'create'], /a token without rights is of no use/],
  [['token', 'create', '--infra-role', 'editor', '--expires', 'tomorrow'], /Write a number and s, m, h or d/],
  [['token', 'create', '--machine-role', 'x'], /Write SUBJECT=ROLE, \* for any subject, with a role of editor, viewer/],
  [['token', 'create', '--machine-role', 'x=none'], /with a role of editor, viewer\.$/m],
  [['token', 'create', '--infra-role', 'none'], /Allowed choices are editor, viewer/],
  [
    ['token', 'update', UUID_1, '--no-methods', '--self-method', '/a.B/C'],
    /give --no-methods, or the methods that it is to have instead/,
  ],
  [['token', 'update', UUID_1], /say what is to change/],
  [['machine', 'ls', '-o', 'xml'], /Allowed choices are table, wide, json, yaml/],
  [['machin'], /Did you mean machine\?/],
  [['machine', 'describe'], /missing required argument/],
  [['machine', 'update', UUID_1], /nothing is to change/],
  [['machine', 'update', UUID_1, '--add-label', 'row'], /"row" is no label; write key=value/],
  [
    ['machine', 'update', UUID_1, '--add-label', 'row=1', '--remove-label', 'row'],
    /row is to be added and to be removed/,
  ],
])('%j is a wrong command line', async (argv, message) => {
  const { status, stdout, stderr } = await api.run(...argv);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

test('version prints the versions of both sides', async () => {
  expect((await api.run('version')).stdout).toMatch(
    /^ingot \d+\.\d+\.\d+ \(Node \d[\d.]*\)\nAPI server 1\.2\.3 abc\n$/,
  );
});

test('a wipe is ordered and cancelled for a whole uuid only', async () => {
  expect(await api.run('machine', 'wipe', UUID_1)).toMatchObject({ status: 0, stdout: 'ordered: order-1\n' });
  const cancel = (): Promise<unknown> => api.run('machine', 'wipe', UUID_1, '--cancel');
  expect(await cancel()).toMatchObject({ status: 0, stdout: 'cancelled: order-1\n' });
  expect(await cancel()).toMatchObject({ status: 0, stdout: 'there was no open order\n' });
  const part = await api.run('machine', 'wipe', UUID_1.slice(0, 8));
  expect(part.status).not.toBe(0);
  expect(part.stderr).toContain('is no whole uuid');
  const stranger = await api.run('machine', 'wipe', 'dddddddd-0000-4000-8000-00000000000d');
  expect(stranger.stderr).toContain('there is no machine dddddddd');
});
