// `pnpm bench [name …] [options]`: the benchmarks under test/bench whose names are given, or all, one after the other.
// Options go to each of them: `pnpm bench dhcp --quick`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2).filter((arg) => arg !== '--');
const options = args.filter((arg) => arg.startsWith('--'));
const names = args.filter((arg) => !arg.startsWith('--'));
const all = globSync('test/bench/*.bench.ts', { cwd: root }).toSorted();
const unknown = names.filter((name) => !all.some((file) => basename(file, '.bench.ts') === name));
if (unknown.length > 0) {
  console.error(
    `no benchmark ${unknown.join(', ')}; there are ${all.map((file) => basename(file, '.bench.ts')).join(', ')}`,
  );
  process.exit(64);
}
for (const file of all) {
  if (names.length > 0 && !names.includes(basename(file, '.bench.ts'))) continue;
  console.log(`\n== ${file} ==`);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, file), ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  // It takes away what it made, and ends by the same signal.
  const end = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, end);
  await once(child, 'exit');
  for (const signal of SIGNALS) process.off(signal, end);
  if (child.signalCode !== null) process.kill(process.pid, child.signalCode);
  if (child.exitCode !== 0) process.exitCode = 1;
}
