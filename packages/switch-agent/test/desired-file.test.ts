import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { portsLost, type Remembered, readRemembered, writeRemembered } from '../src/reconcile/desired-file.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-desired-'));
  file = join(folder, 'desired.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const remembered: Remembered = {
  desired: {
    nics: [
      { name: 'Ethernet0' },
      { name: 'Ethernet4', vrf: 'vrf7', state: 'down', filter: { cidrs: ['10.0.0.0/8'], vnis: ['7'] } },
    ],
  },
  admin: new Map([['Ethernet4', 'down']]),
};

test('what was wanted is read back as it was, and nothing but the file is left', async () => {
  expect(await readRemembered(file)).toBeUndefined();
  await writeRemembered(file, { desired: { nics: [] }, admin: new Map() });
  await writeRemembered(file, remembered);
  expect(await readRemembered(file)).toEqual(remembered);
  await writeRemembered(file, { ...remembered, forgotten: true });
  expect(await readRemembered(file)).toEqual({ ...remembered, forgotten: true });
  expect(await readdir(folder)).toEqual(['desired.json']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test.each(['', '{', '[]', '{"version":2,"nics":[],"admin":{}}', '{"version":1,"nics":[{}],"admin":{}}'])(
  'a file with %j is refused by name',
  async (text) => {
    await writeFile(file, text);
    await expect(readRemembered(file)).rejects.toMatchObject({
      code: 'SWITCH_STATE_FILE',
      message: expect.stringMatching(/^\S+\/desired\.json is not .*; remove it$/),
    });
  },
);

test('a folder that is missing is named, and what to do', async () => {
  await expect(writeRemembered(join(folder, 'none', 'desired.json'), remembered)).rejects.toThrow(
    /none\/desired\.json cannot be written \(.*ENOENT.*\); make its folder, or correct stateFile/,
  );
});

test('an answer that wants no port in a VRF is no wish, if the API had lost the switch since it wanted some there', () => {
  const nothing = { nics: [{ name: 'Ethernet0' }, { name: 'Ethernet4', vrf: '' }] };
  const something = { nics: [{ name: 'Ethernet0', vrf: 'default' }] };
  expect(portsLost({ ...remembered, forgotten: true }, nothing)).toBe(1);
  expect(portsLost({ ...remembered, forgotten: true }, something)).toBe(0);
  expect(portsLost({ ...remembered, desired: nothing, forgotten: true }, nothing)).toBe(0);
  expect(portsLost({ ...remembered, forgotten: false }, nothing)).toBe(0);
  expect(portsLost(remembered, nothing)).toBe(0);
  expect(portsLost(undefined, nothing)).toBe(0);
});
