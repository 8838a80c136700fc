import * as systeminformation from 'systeminformation';
import { expect, test } from 'vitest';
import { takeInventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';

/**
 * A second opinion about the machine that runs the tests. Compared is what both can know everywhere: systeminformation
 * counts NICs without hardware and block devices of every kind, and has no serials without lsblk's udev data.
 */
test('systeminformation agrees about processors, memory and network addresses', { timeout: 30_000 }, async () => {
  const ours = takeInventory(openSysfs('/'));
  const [cpu, memory, interfaces] = await Promise.all([
    systeminformation.cpu(),
    systeminformation.mem(),
    systeminformation.networkInterfaces(),
  ]);
  expect(ours.cpus.reduce((sum, entry) => sum + entry.threads, 0)).toBe(cpu.cores);
  // Memory blocks include what the kernel keeps for itself, which MemTotal does not.
  expect(ours.memory.sizeBytes).toBeGreaterThanOrEqual(memory.total);
  expect(ours.memory.sizeBytes).toBeLessThan(memory.total * 1.25 + 2 ** 30);
  const theirs = new Map([interfaces].flat().map((entry) => [entry.iface, entry.mac]));
  for (const nic of ours.nics) expect(nic.mac).toBe(theirs.get(nic.name));
});
