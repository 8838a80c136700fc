// `pnpm check`: every static check, then the unit tests.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'test.ts'), 'check', 'unit'], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
