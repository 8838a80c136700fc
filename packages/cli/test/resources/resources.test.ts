import { createClient, infraV2 } from '@ingot/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from '../api-kit.ts';
import { PATIENCE_MS, type Plane, startPlane } from '../plane-kit.ts';

const PROJECT_LINE = /^project ([0-9a-f-]{36}) created$/m;

let plane: Plane;

beforeAll(async () => {
  plane = await startPlane();
}, PATIENCE_MS);
afterAll(() => plane[Symbol.asyncDispose]());

const ingot = (...argv: readonly string[]): Promise<Answer> => plane.ingot(...argv);
const file = (text: string): Promise<string> => plane.file(text);

const HALL = `
kind: network
id: super
type: NETWORK_TYPE_SUPER
partition: hall
prefixes: [10.0.0.0/16]
default_child_prefix_length: { ipv4: 24 }
---
kind: partition
id: hall
description: the first hall
dnsServers: [{ ip: 10.0.0.1 }]
---
kind: size
id: c1-large
description: for databases
constraints:
  - { type: SIZE_CONSTRAINT_TYPE_CORES, min: 16, max: 64 }
  - { type: SIZE_CONSTRAINT_TYPE_MEMORY, min: 68719476736, max: 137438953472 }
---
kind: image
id: debian-12.0.20260101
url: http://images/debian.tar
features: [IMAGE_FEATURE_MACHINE]
classification: IMAGE_CLASSIFICATION_SUPPORTED
---
kind: tenant
login: acme
name: acme
---
kind: project
name: web
tenant: acme
meta: { labels: { labels: { tier: front } } }
`;

test('documents of all kinds are applied in the order that they need, and applying them again changes nothing', async () => {
  const path = await file(HALL);
  const first = await ingot('apply', '-f', path);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout.replace(PROJECT_LINE, 'project UUID created')).toBe(
    [
      'tenant acme created',
      'project UUID created',
      'partition hall created',
      'size c1-large created',
      'image debian-12.0.20260101 created',
      'network super created',
      '',
    ].join('\n'),
  );
  const second = await ingot('apply', '-f', path);
  expect(second.stdout.match(/unchanged$/gm)).toHaveLength(6);
  const changed = await ingot(
    'apply',
    '-f',
    await file(HALL.replace('for databases', 'for anything').replace('front', 'back')),
  );
  expect(changed.stdout.match(/(?:size c1-large|project \S+) changed$/gm)).toHaveLength(2);
  expect(changed.stdout.match(/unchanged$/gm)).toHaveLength(4);
});

test('lists are tables, JSON or YAML', async () => {
  const table = await ingot('size', 'ls');
  expect(table.stdout).toBe(
    'ID         NAME   DESCRIPTION    CONSTRAINTS\nc1-large          for anything   cores 16-64; memory 64GiB-128GiB\n',
  );
  const json = await ingot('network', 'ls', '-o', 'json');
  expect(JSON.parse(json.stdout)).toMatchObject([{ id: 'super', prefixes: ['10.0.0.0/16'] }]);
  expect((await ingot('partition', 'describe', 'hall')).stdout).toContain('description: the first hall');
  expect((await ingot('image', 'ls')).stdout).toMatch(/debian-12\.0\.20260101 +machine +supported +20/);
});

test.each([
  ['a document without kind', 'id: x1', 'has no kind: write one of tenant, project, partition, size'],
  ['an unknown kind', 'kind: sise\nid: x1', 'has the kind "sise"'],
  ['an unknown field', 'kind: size\nid: x1\nconstrains: []', 'is no size'],
  ['a wrong type', 'kind: size\nid: x1\nconstraints: 5', 'is no size'],
  ['what the server refuses', 'kind: size\nid: unknown', '"unknown" is what machines without a size have'],
  ['bad YAML', 'kind: size\n  id: [', 'documents.yaml:'],
  ['one key twice', 'kind: size\nid: a1\nid: a2', 'documents.yaml:'],
  ['a list', '- kind: size', 'is no mapping'],
  ['a change that cannot be', 'kind: network\nid: super\ntype: NETWORK_TYPE_EXTERNAL', 'type cannot be changed'],
])('%s is refused, and says what to do', async (_name, text, words) => {
  const { status, stdout, stderr } = await ingot('apply', '-f', await file(text));
  expect(status).not.toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toContain(words);
});

test('documents may be in several files', async () => {
  const other = await plane.file('kind: tenant\nlogin: twin\n', 'other.yaml');
  const { stdout } = await ingot('apply', '-f', await file('kind: tenant\nlogin: acme'), other);
  expect(stdout).toBe('tenant acme unchanged\ntenant twin created\n');
  expect((await ingot('apply', '-f', other, '-f', other)).stdout).toBe('tenant twin unchanged\n'.repeat(2));
});

test('all documents are checked before any is applied', async () => {
  const { stdout } = await ingot(
    'apply',
    '-f',
    await file('kind: tenant\nname: other\nlogin: other\n---\nkind: size\nid: 5'),
  );
  expect(stdout).toBe('');
  expect((await ingot('tenant', 'ls', '--no-headers')).stdout).not.toContain('other');
});

test('things are removed by their whole name only', async () => {
  await ingot(
    'size',
    'apply',
    '-f',
    await file('id: c2-small\nconstraints: [{ type: SIZE_CONSTRAINT_TYPE_CORES, min: 1, max: 2 }]'),
  );
  expect(await ingot('size', 'rm', 'c2')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('write c2-small'),
  });
  expect((await ingot('size', 'rm', 'c2-small')).stdout).toBe('size c2-small removed\n');
  expect(await ingot('size', 'rm', 'c2-small')).toMatchObject({ status: 3 });
});

test('a machine’s size is explained and suggested', async () => {
  const uuid = 'aaaaaaaa-0000-4000-8000-00000000000a';
  const hardware = {
    memory: 137438953472n,
    cpus: [{ vendor: 'AMD', model: 'EPYC', cores: 32, threads: 64 }],
    disks: [{ name: '/dev/nvme0n1', size: 960n * 10n ** 9n }],
  };
  // It has no switches, which the registration says; what it is made of is known all the same.
  await createClient(infraV2.BootService, plane.channel)
    .register({ uuid, partition: 'hall', bios: { version: '1', vendor: 'x', date: '1' }, hardware })
    .catch(() => undefined);
  const explained = await ingot('size', 'explain', 'aaaa');
  expect(explained.stdout).toBe(
    `machine ${uuid} is of size "unknown"\nc1-large: does not match\n  yes  cores: 16 to 64; the machine has 32\n  yes  memory: 64 GiB (68719476736) to 128 GiB (137438953472); the machine has 128 GiB (137438953472)\n  no   /dev/nvme0n1 is in no storage constraint that holds\n`,
  );
  const suggested = await ingot('size', 'suggest', uuid, '--id', 'epyc');
  expect(suggested.stdout).toContain('identifier: /dev/nvme*');
  const applied = await ingot('size', 'apply', '-f', await file(suggested.stdout));
  expect(applied).toMatchObject({ status: 0, stdout: 'size epyc created\n' });
});

test('machines and switches are operated on, with what is refused said in words', async () => {
  const unknown = '99999999-0000-4000-8000-000000000009';
  expect(await ingot('machine', 'lock', 'aaaa')).toMatchObject({ status: 2 });
  expect((await ingot('machine', 'lock', 'aaaa', '--reason', 'fan')).stdout).toMatch(/ is locked\n$/);
  expect((await ingot('machine', 'unlock', 'aaaa')).stdout).toMatch(/ is available\n$/);
  expect((await ingot('machine', 'power', 'aaaa', 'cycle', '--no-wait')).stdout).toMatch(/: cycle was ordered\n$/);
  expect(await ingot('machine', 'power', 'aaaa', 'explode')).toMatchObject({ status: 2 });
  const issues = await ingot('machine', 'issues', '--no-headers');
  expect(issues.stdout).toMatch(/minor +|major +/);
  expect((await ingot('machine', 'rm', 'aaaa')).stderr).toContain('is no whole uuid');
  expect((await ingot('machine', 'rm', 'aaaaaaaa-0000-4000-8000-00000000000a')).stderr).toContain('belongs to nobody');
  expect((await ingot('machine', 'rm', unknown, '--remove-from-database')).stderr).toContain('--yes-i-really-mean-it');
  const create = ['machine', 'create', 'web', '--project', unknown, '--image', 'debian-12', '--network', 'n1'];
  expect(await ingot(...create)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(`no project "${unknown}"`),
  });
  expect((await ingot('switch', 'port', 'leaf01', 'Ethernet0', 'down')).stderr).toContain('leaf01');
  expect((await ingot('switch', 'migrate', 'leaf01', 'leaf02')).status).toBe(3);
});
