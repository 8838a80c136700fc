import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
    `touch ${gate}; for _ in $(seq 1000); do [ -e ${done} ] && break; sleep 0.05; done; sed -i s/hall/HALL/`,
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

test('what is taken out goes where the server lets it go, and is said to stay where not', async () => {
  await plane.ingot('size', 'apply', '-f', await plane.file('id: c1\ndescription: of old'));
  const stayed = await edit('sed -i /^description/d', 'size', 'edit', 'c1');
  expect(stayed).toEqual({
    status: 0,
    stdout: 'size c1 changed\n',
    stderr: 'ingot: description stayed: the API server keeps what a change leaves out or empty\n',
  });
  const gone = await edit('sed -i /^description/d', 'partition', 'edit', 'hall');
  expect(gone).toEqual({ status: 0, stdout: 'partition hall changed\n', stderr: '' });
  expect((await plane.ingot('partition', 'describe', 'hall', '-o', 'json')).stdout).not.toContain('description');
});
