import { expect, test } from 'vitest';
import { takeInventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { machines } from './machines/all.ts';
import { plant } from './tree.ts';

/** A golden inventory that no longer fits is written anew by `vitest --update`; read the difference before committing. */
test.each(Object.entries(machines))('%s has its inventory, byte for byte, each time', async (name, tree) => {
  using machine = plant(tree);
  const json = (): string => `${JSON.stringify(takeInventory(openSysfs(machine.root)), null, 2)}\n`;
  const first = json();
  expect(json()).toBe(first);
  await expect(first).toMatchFileSnapshot(`goldens/${name}.json`);
});
