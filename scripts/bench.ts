// `pnpm bench`: every benchmark under test/bench, one after the other.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
for (const file of globSync('test/bench/*.bench.ts', { cwd: root }).toSorted()) {
  console.log(`\n== ${file} ==`);
  const { status } = spawnSync(process.execPath, [join(root, file)], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
