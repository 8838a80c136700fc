import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../api-kit.ts';
import { HALL, PATIENCE_MS, type Plane, startPlane } from '../plane-kit.ts';

let plane: Plane;
beforeAll(async () => {
  plane = await startPlane();
  await plane.ingot('apply', '-f', await plane.file(HALL));
}, PATIENCE_MS);
afterAll(() => plane[Symbol.asyncDispose]());

function edit(editor: string, ...argv: readonly string[]): Promise<Answer> {
  return plane.ingotIn({ env: { EDITOR: editor, PATH: '/usr/bin:/bin' } }, ...argv);
}

/** What an error says where the text is; removes it. */
async function keptText({ stderr }: Answer): Promise<string> {
  const file = /is kept in (\S+);/.exec(stderr)?.[1] ?? '';
  const text = await readFile(file, 'utf8');
  await rm(dirname(file), { recursive: true });
  return text;
}

test('what was changed in the editor is stored, and the file is removed', async () => {
  const list = await plane.file('', 'seen');
  const answer = await edit(
    `sed -i.bak 's/the first hall/a hall/' "$1"; printf %s "$1" > ${list}; :`,
    'partition',
    'edit',
    'hall',
  );
  expect(answer).toEqual({ status: 0, stdout: 'partition hall changed\n', stderr: '' });
  expect((await plane.ingot('partition', 'describe', 'hall')).stdout).toContain('description: a hall\n');
  expect(existsSync(await readFile(list, 'utf8'))).toBe(false);
});

test('an editor that changes nothing, or empties the file, changes nothing', async () => {
  const unchanged = { status: 0, stdout: 'size c1 unchanged\n', stderr: '' };
  expect(await edit('true', 'size', 'edit', 'c1')).toEqual(unchanged);
  expect(await edit('truncate -s 0', 'size', 'edit', 'c1')).toEqual(unchanged);
});

test('somebody else’s change in between is not lost: the edit is refused, and its text kept', async () => {
  // The editor lets somebody else be quicker, with a program of its own.
  const meanwhile = plane.file('id: hall\ndescription: changed by another', 'other.yaml');
  const gate = await plane.file('', 'gate');
  const done = await plane.file('', 'gate2');
  await Promise.all([rm(gate), rm(done)]);
  const editing = edit(
    `touch ${gate}; for _ in $(seq 1000); do [ -e ${done} ] && break; sleep 0.05; done; sed -i s/^description.*/description:\\ mine/`,
    'partition',
    'edit',
    'hall',
  );
  while (!existsSync(gate)) await new Promise((resolve) => void setTimeout(resolve, 20));
  await plane.ingot('partition', 'apply', '-f', await meanwhile);
  await plane.file('', 'gate2');
  const answer = await editing;
  expect(answer).toMatchObject({ status: 1, stdout: '' });
  await keptText(answer);
});

test.each([
  ['a field that does not exist', 'sed -i s/^description/descripshun/', 'is no partition'],
  ['text that is no YAML', 'printf "id: [" >', 'line 1'],
  ['a list', 'printf -- "- 1" >', 'no mapping of fields'],
  ['two documents', 'printf "a: 1\\n---\\nb: 2" >', 'several documents'],
])('%s is refused with the place of the text', async (_name, editor, words) => {
  const answer = await edit(editor, 'partition', 'edit', 'hall');
  expect(answer.stdout + answer.stderr).toContain(words);
  if (answer.status !== 0) expect(await keptText(answer)).not.toBe('');
});

test('what only a new thing may have is not changed', async () => {
  const answer = await edit('sed -i s/partition:.hall/partition:\\ other/', 'network', 'edit', 'super');
  expect(answer.status).toBe(2);
  expect(answer.stderr).toContain('partition cannot be changed');
  expect(await keptText(answer)).toContain('partition: other');
});

test('an editor that fails, or is not there, changes nothing and keeps the text', async () => {
  const failed = await edit('false', 'size', 'edit', 'c1');
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('the editor "false" ended with status 1, so nothing was changed; the text is in ');
  const missing = await edit('no-such-editor', 'size', 'edit', 'c1');
  expect(missing.stderr).toContain('was not found');
  for (const { stderr } of [failed, missing])
    await rm(dirname(/the text is in (\S+)\. /.exec(stderr)?.[1] ?? ''), { recursive: true });
});

describe('what is taken out or emptied', () => {
  const json = async (kind: string, id: string): Promise<Record<string, unknown>> =>
    JSON.parse((await plane.ingot(kind, 'describe', id, '-o', 'json')).stdout);

  test('goes: descriptions, labels, and what may be missing', async () => {
    await plane.ingot('size', 'apply', '-f', await plane.file('id: c1\ndescription: of old'));
    const changed = (kind: string, id: string) => ({ status: 0, stdout: `${kind} ${id} changed\n`, stderr: '' });
    expect(await edit('sed -i /^description/d', 'size', 'edit', 'c1')).toEqual(changed('size', 'c1'));
    expect((await json('size', 'c1'))['description'] ?? '').toBe('');
    expect(await edit('sed -i "s/^description.*/description:/"', 'partition', 'edit', 'hall')).toEqual(
      changed('partition', 'hall'),
    );
    expect(await json('partition', 'hall')).not.toHaveProperty('description');
    const layout = 'sed -i -e /^constraints/,/^[^:\\ ]*:/d -e "$ a meta: {}"';
    expect(await edit(layout, 'filesystem-layout', 'edit', 'tmp')).toMatchObject({ status: 0 });

    const labelled = 'id: c1\nmeta: { labels: { labels: { tier: front, row: "7" } } }';
    await plane.ingot('size', 'apply', '-f', await plane.file(labelled));
    expect(await json('size', 'c1')).toMatchObject({ meta: { labels: { labels: { tier: 'front', row: '7' } } } });
    expect(await edit('sed -i /tier:/d', 'size', 'edit', 'c1')).toEqual(changed('size', 'c1'));
    expect(await json('size', 'c1')).toMatchObject({ meta: { labels: { labels: { row: '7' } } } });
    expect(await edit('sed -i -e /labels:/d -e /row:/d', 'size', 'edit', 'c1')).toEqual(changed('size', 'c1'));
    expect(await json('size', 'c1')).not.toMatchObject({ meta: { labels: { labels: { row: '7' } } } });
    expect(await edit('true', 'size', 'edit', 'c1')).toMatchObject({ stdout: 'size c1 unchanged\n' });
  });

  test.each([
    ['partition', 'hall', '/ip:/d', 'dnsServers cannot be emptied'],
    ['partition', 'hall', '/dnsServers/d;/ip:/d', 'dnsServers cannot be emptied'],
    ['size', 'c1', '/^constraints/,$d', 'constraints cannot be emptied'],
    ['image', 'debian-12.0.20260101', '/^url/d', 'url cannot be emptied'],
    ['size', 'c1', 's/^id: c1/id: c2/', 'c1 cannot become c2'],
    ['filesystem-layout', 'tmp', '$ a labels: { labels: { a: b } }', 'labels'],
  ])('of %s %s by "%s" is refused, and nothing is changed', async (kind, id, script, words) => {
    const before = await json(kind, id);
    const answer = await edit(`sed -i '${script}'`, kind, 'edit', id);
    expect(answer).toMatchObject({ status: 2, stdout: '' });
    expect(answer.stderr).toContain(words);
    await keptText(answer);
    expect(await json(kind, id)).toEqual(before);
  });

  test('is told from what an applied document does not say', async () => {
    const apply = async (kind: string, text: string): Promise<Answer> =>
      plane.ingot(kind, 'apply', '-f', await plane.file(text));
    await apply('size', 'id: c1\ndescription: again\nmeta: { labels: { labels: { tier: front } } }');
    expect((await apply('size', 'id: c1')).stdout).toBe('size c1 unchanged\n');
    expect(await json('size', 'c1')).toMatchObject({ description: 'again', meta: { labels: { labels: {} } } });
    for (const empty of ['', 'null', '""']) {
      await apply('partition', 'id: hall\ndescription: again');
      expect((await apply('partition', `id: hall\ndescription: ${empty}`)).stdout).toBe('partition hall changed\n');
      expect(await json('partition', 'hall')).not.toHaveProperty('description');
      expect((await apply('partition', `id: hall\ndescription: ${empty}`)).stdout).toBe('partition hall unchanged\n');
    }
    expect((await apply('size', 'id: c1\nmeta: { labels: { labels: {} } }')).stdout).toBe('size c1 changed\n');
    expect((await apply('size', 'id: c1\nmeta: { labels: {} }')).stdout).toBe('size c1 unchanged\n');
    const refused = await apply('partition', 'id: hall\ndns_servers: []');
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('partition hall: dnsServers cannot be emptied');
    const labels = await apply('filesystem-layout', 'id: tmp\nmeta: { labels: { labels: { a: b } } }');
    expect(labels).toMatchObject({ status: 2, stdout: '' });
    expect(labels.stderr).toContain('labels cannot be changed');
  });
});

test('addresses and reservations without a name are made, and edited', async () => {
  const applied = await plane.ingot('apply', '-f', await plane.file(HALL));
  const project = /^project (\S+) unchanged$/m.exec(applied.stdout)?.[1] ?? applied.stderr;
  const made = await plane.ingot('network', 'allocate', '--project', project, '--parent-network', 'super', '--name=n1');
  const network = /^network (\S+) created/.exec(made.stdout)?.[1] ?? made.stderr;
  const created = await plane.ingot('ip', 'create', '--network', network, '--project', project);
  const ip = /^ip (\S+) created/.exec(created.stdout)?.[1] ?? created.stderr;
  const answer = await edit('sed -i "\\$ a description: of a test"', 'ip', 'edit', ip, '--project', project);
  expect(answer).toEqual({ status: 0, stdout: `ip ${ip} changed\n`, stderr: '' });
  const reservation = `size: c1\nproject: ${project}\npartitions: [hall]\namount: 1`;
  const kept = await plane.ingot('size-reservation', 'create', '-f', await plane.file(reservation));
  const id = /^size-reservation (\S+) created/.exec(kept.stdout)?.[1] ?? kept.stderr;
  const raised = await edit('sed -i "s/^amount.*/amount: 2/"', 'size-reservation', 'edit', id);
  expect(raised).toEqual({ status: 0, stdout: `size-reservation ${id} changed\n`, stderr: '' });
});
