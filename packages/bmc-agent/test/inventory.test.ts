import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BmcErrorCode } from '../src/errors.ts';
import { readInventory } from '../src/inventory.ts';

const UUID = 'aaaaaaaa-0000-4000-8000-00000000000a';

interface Entry {
  readonly [key: string]: string;
}

/** The path of an inventory with a password file beside it. */
function written(...entries: readonly Entry[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'bmc-inventory-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'secret\n', { mode: 0o600 });
  const machine = { uuid: UUID, mac: '52:54:00:00:00:01', user: 'root', passwordFile };
  const file = join(folder, 'inventory.yaml');
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify(entries.map((entry) => ({ ...machine, ...entry }))));
  return file;
}

test.each<[string, Entry, Entry]>([
  ['IPMI at its port, where its MAC address has a lease', {}, { interface: 'lanplus', address: ':623' }],
  ['Redfish at the port of HTTPS', { interface: 'redfish' }, { interface: 'redfish', address: ':443' }],
  ['the address that is given', { address: '10.9.0.1:6230' }, { interface: 'lanplus', address: '10.9.0.1:6230' }],
])('a machine is asked by %s', async (_what, entry, expected) => {
  expect(await readInventory(written(entry))).toEqual([
    { uuid: UUID, mac: '52:54:00:00:00:01', user: 'root', password: 'secret', ...expected },
  ]);
});

test.each<[string, readonly Entry[], RegExp]>([
  ['a machine twice, in capitals or not', [{}, { uuid: UUID.toUpperCase() }], /names a machine twice/],
  ['an address without a port', [{ address: '10.9.0.1' }], /host:port/],
  ['a MAC address that is none', [{ mac: '52:54:00' }], /a MAC address such as/],
  ['what nobody knows', [{ rack: '7' }], /rack/],
])('an inventory with %s is refused', async (_what, entries, words) => {
  await expect(readInventory(written(...entries))).rejects.toMatchObject({
    code: BmcErrorCode.Inventory,
    message: expect.stringMatching(words),
  });
});

test('an inventory that is not there is refused with what to correct', async () => {
  await expect(readInventory('/none/inventory.yaml')).rejects.toMatchObject({
    code: BmcErrorCode.Inventory,
    message: expect.stringMatching(/ENOENT.*; correct inventory.file$/),
  });
});
