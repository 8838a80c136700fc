import { parseArgs } from 'node:util';
import { inventoryLines } from './inventory-text.ts';
import { takeInventory } from './inventory/inventory.ts';
import { openSysfs } from './sysfs.ts';

const usage = `ingot-discovery: what runs on a machine that nobody knows yet

  ingot-discovery inventory [--json] [--root DIR]   what this machine is made of
  ingot-discovery run                               register it and wait; only the discovery image's init does this
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, root: { type: 'string', default: '/' } },
});
switch (positionals[0]) {
  case 'inventory': {
    const inventory = takeInventory(openSysfs(values.root));
    process.stdout.write(
      values.json ? `${JSON.stringify(inventory, null, 2)}\n` : `${inventoryLines(inventory).join('\n')}\n`,
    );
    break;
  }
  case 'run': {
    const inventory = takeInventory(openSysfs(values.root));
    for (const line of inventoryLines(inventory)) console.log(`INGOT 0 inventory ${line}`);
    setTimeout(() => undefined, 3_600_000);
    break;
  }
  default:
    process.stderr.write(usage);
    process.exitCode = 2;
}
