import { apiV2 } from '@ingot/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { furnish, PATIENCE_MS, type Plane, registerMachine, sendEvent, startPlane } from './plane-kit.ts';
import type { Answer } from './api-kit.ts';

const MACHINE = 'aaaaaaaa-0000-4000-8000-00000000000a';
const OTHER = 'bbbbbbbb-0000-4000-8000-00000000000b';
const { MachineProvisioningEventType: Type } = apiV2;

let plane: Plane;
let project: string;
beforeAll(async () => {
  plane = await startPlane();
  ({ project } = await furnish(plane));
  await registerMachine(plane, MACHINE);
  await registerMachine(plane, OTHER, 2);
  await sendEvent(plane, MACHINE, Type.PXE_BOOTING);
  await sendEvent(plane, MACHINE, Type.PREPARING);
  await sendEvent(plane, MACHINE, Type.CRASHED, 'inventory: \u001B[31mno disks');
  await sendEvent(plane, OTHER, Type.PXE_BOOTING);
}, PATIENCE_MS);
afterAll(() => plane[Symbol.asyncDispose]());

/** With the time that it is, for what is measured against the server's. */
const ingot = (...argv: readonly string[]): Promise<Answer> => plane.ingotIn({ now: () => Date.now() }, ...argv);
const column = (text: string, index: number): string[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(/ {3,}/)[index] ?? '');

test('events are those of a machine, newest first, or the newest of each', async () => {
  const ofOne = await ingot('event', 'ls', 'aaaa', '--no-headers');
  expect(column(ofOne.stdout, 3)).toEqual(['Crashed', 'Preparing', 'PXE Booting']);
  expect(ofOne.stdout).toContain('inventory: \uFFFD[31mno disks');
  const ofAll = await ingot('event', 'ls', '--no-headers');
  expect(column(ofAll.stdout, 3).toSorted()).toEqual(['Crashed', 'PXE Booting']);
  expect(column((await ingot('event', 'ls', '--crash-loops', '--no-headers')).stdout, 2)).toEqual([MACHINE]);
  expect(column((await ingot('event', 'ls', 'aaaa', '--type', 'preparing', '--no-headers')).stdout, 3)).toEqual([
    'Preparing',
  ]);
  expect(column((await ingot('event', 'ls', 'aaaa', '--last', '2', '--no-headers')).stdout, 3)).toHaveLength(2);
  expect(JSON.parse((await ingot('event', 'ls', 'bbbb', '-o', 'json')).stdout)).toMatchObject([
    { machine: OTHER, event: 'MACHINE_PROVISIONING_EVENT_TYPE_PXE_BOOTING' },
  ]);
});

test('the audit trail is searched, and a call is shown with what was sent', async () => {
  await ingot('machine', 'lock', 'aaaa', '--reason', 'the fan is loud');
  await ingot('machine', 'rm', MACHINE, '--remove-from-database', '--yes-i-really-mean-it');
  const method = '/metalstack.admin.v2.MachineService/SetState';
  const found = await ingot('audit', 'ls', '--method', method, '--body', 'fan', '--phase', 'request', '-o', 'json');
  const [trace, more] = JSON.parse(found.stdout);
  expect(more).toBeUndefined();
  const described = await ingot('audit', 'describe', trace.uuid, '--phase', 'request', '--template', '{{ .body }}');
  expect(described.stdout).toContain('the fan is loud');
  const refused = await ingot('audit', 'ls', '--code', '9', '--no-headers');
  expect(refused.stdout).toMatch(/MachineService\/Delete +response +FailedPrecondition/);
  expect((await ingot('audit', 'ls', '--to', '2020-01-01', '--no-headers')).stdout).toBe('');
  expect(await ingot('audit', 'ls', '--from', 'yesterday')).toMatchObject({ status: 2 });
});

test('a token has the roles and methods that were named, and no others', async () => {
  const method = '/metalstack.api.v2.MachineService/List';
  const flags = ['--project-role', `${project}=viewer`, '--tenant-role', 'acme=owner', '--no-reads'];
  const made = await ingot(
    'token',
    'create',
    '--user',
    'jane',
    ...flags,
    '--project-method',
    `${project}=${method}`,
    '-o',
    'json',
  );
  expect(JSON.parse(made.stdout)).toMatchObject({
    token: {
      user: 'jane',
      projectRoles: { [project]: 'PROJECT_ROLE_VIEWER' },
      tenantRoles: { acme: 'TENANT_ROLE_OWNER' },
      permissions: [{ subject: project, methods: [method] }],
    },
  });
  const listed = await ingot('token', 'ls', '--user', 'jane', '--no-headers');
  expect(listed.stdout).toContain('1 project, 1 tenant, 1 method');
  expect(listed.stdout).not.toContain(JSON.parse(made.stdout).secret);
  expect(await ingot('token', 'create', '--user', 'jane', '--tenant-role', 'acme=king')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('a role of owner, editor, viewer, guest'),
  });
  expect(await ingot('token', 'create', '--own', '--user', 'jane')).toMatchObject({ status: 2 });
});

test('a token of one’s own loses the rights that are taken from it by name', async () => {
  const self = '/metalstack.api.v2.TokenService/Refresh';
  const rights = ['--admin-role', 'viewer', '--infra-role', 'editor', '--self-method', self, '--no-reads'];
  const made = await ingot('token', 'create', '--own', ...rights, '--project-role', `${project}=owner`, '-o', 'json');
  const { uuid } = JSON.parse(made.stdout).token;
  const may = async (): Promise<string> =>
    (await ingot('token', 'ls', '--own', '--no-headers')).stdout.split('\n').find((line) => line.startsWith(uuid)) ??
    '';
  expect(await may()).toContain('admin viewer, infra editor, 1 project, 1 method');
  const update = ['token', 'update', uuid];
  expect(await ingot(...update, '--infra-role', 'viewer', '--no-methods')).toMatchObject({ status: 0, stderr: '' });
  expect(await may()).toMatch(/admin viewer, infra viewer, 1 project {2,}/);
  await ingot(...update, '--admin-role', 'none', '--infra-role', 'none', '--project-role', `${project}=none`);
  expect(await may()).not.toMatch(/viewer|infra|project|method/);
});

test('somebody’s own token has the rights of their memberships, and sees what is theirs', async () => {
  await ingot('tenant', 'create', '--login', 'jane', '--name', 'Jane');
  await ingot('tenant', 'member', 'add', 'acme', 'jane', 'viewer', '--admin');
  const file = await plane.file('', 'jane.token');
  await ingot('token', 'create', '--user', 'jane', '--file', file);
  const asJane = (...argv: readonly string[]): Promise<Answer> => ingot(...argv, '--api-token-file', file);
  expect((await asJane('tenant', 'ls', '--mine', '--no-headers')).stdout).toMatch(/^acme /m);
  expect((await asJane('project', 'ls', '--mine', '--no-headers')).stdout).toContain(project);
  expect(JSON.parse((await asJane('whoami', '-o', 'json')).stdout)).toMatchObject({ login: 'jane' });
  const members = await ingot('tenant', 'member', 'ls', 'acme', '--no-headers');
  expect(members.stdout).toMatch(/^jane +viewer +20/m);
  const refused = await asJane('machine', 'ls');
  expect(refused.status).toBe(4);
  expect(refused.stderr).toContain('does not allow this');
});

test('a token with the role of a viewer sees what there is, and one without reads does not', async () => {
  const file = await plane.file('', 'viewer.token');
  const asViewer = (...argv: readonly string[]): Promise<Answer> => ingot(...argv, '--api-token-file', file);
  const looks = [['machine', 'ls'], ['partition', 'ls'], ['size', 'describe', 'c1'], ['image', 'ls'], ['whoami']];
  await ingot('token', 'create', '--user', 'monitoring', '--admin-role', 'viewer', '--file', file);
  for (const look of looks) expect(await asViewer(...look)).toMatchObject({ status: 0, stderr: '' });
  expect((await asViewer('partition', 'rm', 'hall')).status).toBe(4);
  expect((await asViewer('token', 'refresh')).status).toBe(4);
  await ingot('token', 'create', '--user', 'monitoring', '--admin-role', 'viewer', '--no-reads', '--file', file);
  expect((await asViewer('machine', 'ls')).status).toBe(0);
  expect((await asViewer('partition', 'ls')).status).toBe(4);
});

test('things are made of flags, and what is missing or twice is said', async () => {
  expect(await ingot('project', 'create', '--name', 'x1')).toMatchObject({
    status: 2,
    stderr: 'ingot: a project needs --tenant, or a document with -f\n',
  });
  const flags = ['--id', 'ext', '--type', 'external', '--prefixes', '192.0.2.0/25', '198.51.100.0/25', '--vrf', '104'];
  expect((await ingot('network', 'create', ...flags, '--label', 'a=b')).stdout).toBe('network ext created\n');
  expect(JSON.parse((await ingot('network', 'describe', 'ext', '-o', 'json')).stdout)).toMatchObject({
    type: 'NETWORK_TYPE_EXTERNAL',
    prefixes: ['192.0.2.0/25', '198.51.100.0/25'],
    vrf: 104,
    meta: { labels: { labels: { a: 'b' } } },
  });
  // What is there already is refused by the server, whichever of its rules it names.
  expect(await ingot('network', 'create', ...flags)).toMatchObject({ status: 1, stdout: '' });
  expect((await ingot('size', 'create', '--id', 'c1')).stderr).toContain('c1');
  const both = await ingot('size', 'create', '--id', 'x1', '-f', await plane.file('id: x1'));
  expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('not both') });
});

test('a project is given by its uuid or by its name', async () => {
  expect((await ingot('network', 'ls', '--project', 'web', '--no-headers')).stdout).toContain(project);
  expect((await ingot('network', 'ls', '--project', project.toUpperCase(), '--no-headers')).stdout).toContain(project);
  expect((await ingot('project', 'member', 'ls', 'web')).stdout).toMatch(/^MEMBER/);
  const kept = ['--name', 'kept', '--size', 'c1', '--partitions', 'hall', '--amount', '1'];
  await ingot('size-reservation', 'create', '--project', 'web', ...kept);
  expect((await ingot('size-reservation', 'ls', '--no-headers')).stdout).toContain(project);
  expect(await ingot('machine', 'ls', '--project', 'wep')).toMatchObject({
    status: 3,
    stderr: 'ingot: there is no project wep; did you mean web?\n',
  });
  await ingot('tenant', 'create', '--login', 'other');
  await ingot('project', 'create', '--name', 'web', '--tenant', 'other');
  const several = await ingot('machine', 'ls', '--project', 'web');
  expect(several.status).toBe(3);
  expect(several.stderr).toContain(`2 projects are called web; write the uuid:`);
  expect(several.stderr).toContain(`${project} of acme`);
});

test('--trace says which calls were made', async () => {
  const { stderr } = await ingot('partition', 'ls', '--trace');
  expect(stderr).toMatch(/^trace: \/metalstack\.api\.v2\.PartitionService\/List \d+ms OK\n$/);
});

test('health ends with 1 unless all is well', async () => {
  expect(await ingot('health', '--no-headers')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('healthy'),
  });
});
