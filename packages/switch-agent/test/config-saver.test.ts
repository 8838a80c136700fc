import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configDbOfRedis } from '../src/config-db/redis-rows.ts';
import { printConfigDb } from '../src/config-db/print-config-db.ts';
import { createProblems, type Problems } from '../src/problems.ts';
import { type ConfigSaver, createConfigSaver } from '../src/reconcile/config-saver.ts';
import { planCycle, type PlanInput } from '../src/reconcile/plan.ts';
import { CONFIG_TABLES } from '../src/reconcile/tables.ts';
import { wishesOf } from '../src/reconcile/wishes.ts';
import { freshConfig, LEAF, machinePorts } from './sonic/leaf.ts';
import { carriedOut, configOf, type FlatRows } from './sonic/tables.ts';

let folder: string;
let file: string;
let clock: MockClock;
let problems: Problems;
let saver: ConfigSaver;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-saver-'));
  file = join(folder, 'config_db.json');
  clock = new MockClock();
  const log = new MemoryLogger();
  problems = createProblems(log);
  saver = createConfigSaver({ file, clock, problems, log });
  await put(saved());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function freshRows(): FlatRows {
  return Object.fromEntries(
    freshConfig(machinePorts(2))
      .filter(([command]) => command === 'HSET')
      .map(([, key = '', ...fields]) => [
        key,
        Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, at) => fields.slice(2 * at, 2 * at + 2))),
      ]),
  );
}

function saved(): string {
  const config = configOf(freshRows());
  return printConfigDb({
    ...configDbOfRedis(new Map(CONFIG_TABLES.map((table) => [table, config[table]]))),
    NTP_SERVER: { '10.0.0.1': {} },
  });
}

/** Writes the file as somebody else would, `ageMs` ago. */
async function put(text: string, ageMs = 3_600_000): Promise<void> {
  await writeFile(file, text, { mode: 0o640 });
  await chmod(file, 0o640);
  const at = new Date(clock.now() - ageMs);
  await utimes(file, at, at);
}

/** After a cycle that has found the switch as it is wanted: `vrf` on its first port. */
async function save(vrf: string): Promise<void> {
  const desired = { nics: [{ name: 'Ethernet0', vrf }, { name: 'Ethernet1' }] };
  const wishes = wishesOf({ desired, leaf: LEAF, portOf: (name) => name, stickyAdmin: new Map() });
  const input: Omit<PlanInput, 'config'> = { wishes, leaf: LEAF, hostname: 'leaf01', logLevel: 'info' };
  const rows = carriedOut(freshRows(), planCycle({ ...input, config: configOf(freshRows()) }));
  await saver.save(planCycle({ ...input, config: configOf(rows) }), input);
}

async function vrfInFile(): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8')).INTERFACE.Ethernet0?.vrf_name;
}

test('the file is replaced whole, what was there before is kept, and owner and mode stay', async () => {
  const before = await readFile(file, 'utf8');
  const [uid, gid] = process.getuid?.() === 0 ? [65_534, 65_534] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await chown(file, uid, gid);
  await save('vrf100');
  expect(await vrfInFile()).toBe('Vrf100');
  expect(JSON.parse(await readFile(file, 'utf8')).NTP_SERVER).toEqual({ '10.0.0.1': {} });
  expect((await readdir(folder)).sort()).toEqual(['config_db.json', 'config_db.json.ingot-before']);
  expect(await readFile(`${file}.ingot-before`, 'utf8')).toBe(before);
  for (const path of [file, `${file}.ingot-before`]) {
    const now = await stat(path);
    expect([now.uid, now.gid, now.mode & 0o777]).toEqual([uid, gid, 0o640]);
  }
  expect(problems.all()).toEqual([]);
});

test('changes in a row are saved once a minute, the last one too', async () => {
  await save('vrf100');
  const { mtimeMs } = await stat(file);
  for (const vrf of ['vrf101', 'vrf102', 'vrf103']) {
    await clock.advance(10_000);
    await save(vrf);
  }
  expect(await vrfInFile()).toBe('Vrf100');
  expect((await stat(file)).mtimeMs).toBe(mtimeMs);
  await clock.advance(30_000);
  await save('vrf103');
  expect(await vrfInFile()).toBe('Vrf103');
});

test('a file that stays as it is is not read again, and one that somebody has replaced gets the rows again', async () => {
  await save('vrf100');
  await clock.advance(60_000);
  const at = new Date(clock.now() - 3_600_000);
  await utimes(file, at, at);
  await save('vrf100');
  // No JSON any more, but with the stamp that it had: nobody looks.
  await writeFile(file, 'x'.repeat((await stat(file)).size));
  await utimes(file, at, at);
  await save('vrf100');
  expect(problems.all()).toEqual([]);
  // `generate --apply` writes without the rows of tenants.
  await put(saved());
  await save('vrf100');
  expect(await vrfInFile()).toBe('Vrf100');
});

test('a file that was just written may still be, and is left alone until it is ten seconds old', async () => {
  await put(saved(), 2000);
  await save('vrf100');
  expect(await vrfInFile()).toBeUndefined();
  await clock.advance(8000);
  await save('vrf100');
  expect(await vrfInFile()).toBe('Vrf100');
});

test.each([
  [
    '{"PORT": {"Ethernet0": {"mtu": true}}}',
    /config_db\.json:1:25: PORT\|Ethernet0 mtu: write "true" in quotes.*; mend/,
  ],
  ['{"PORT": {"Ethernet0"', /config_db\.json:1:22: not JSON: .*; mend it, or "config save" writes it anew$/],
  [
    undefined,
    /config_db\.json cannot be kept \(.*ENOENT.*\); correct savedConfigFile or its rights, or set saveConfig: false$/,
  ],
])('a file with %j is left as it is, and the problem goes when it is mended', async (text, reason) => {
  if (text === undefined) await rm(file);
  else await put(text);
  await save('vrf100');
  expect(problems.all()).toEqual([{ topic: 'saved-config', reason: expect.stringMatching(reason) }]);
  if (text !== undefined) expect(await readFile(file, 'utf8')).toBe(text);
  await put(saved());
  await clock.advance(60_000);
  await save('vrf100');
  expect(await vrfInFile()).toBe('Vrf100');
  expect(problems.all()).toEqual([]);
});

test('a running configuration that was never saved is named, until it is', async () => {
  const without = JSON.parse(saved());
  delete without.VXLAN_TUNNEL;
  await put(printConfigDb(without));
  await save('vrf100');
  expect(problems.all()).toEqual([
    {
      topic: 'saved-config',
      reason: expect.stringMatching(
        /config_db\.json lacks what the running configuration has \(Vrf100: CONFIG_DB has no VXLAN_TUNNEL row.*\); save it \(config save\), or a boot leaves it out$/,
      ),
    },
  ]);
  await clock.advance(60_000);
  await put(saved());
  await save('vrf100');
  expect(problems.all()).toEqual([]);
});
