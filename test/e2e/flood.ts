import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** How many malformed requests of each protocol went out. */
export interface FloodReport {
  readonly dhcp: number;
  readonly tftp: number;
  readonly http: number;
}

/**
 * Throws `count` generated malformed requests of each protocol at `address`, from inside network namespace `namespace`.
 * Making them takes the processor from nobody else: it is their coming that the server and its clients are to stand.
 */
export async function flood(namespace: string, address: string, count: number): Promise<FloodReport> {
  const words = ['-n', '19', 'ip', 'netns', 'exec', namespace];
  const { stdout } = await promisify(execFile)(
    'nice',
    [...words, process.execPath, join(import.meta.dirname, 'flood-main.ts'), address, String(count)],
    { timeout: 220_000 },
  );
  const report: FloodReport = JSON.parse(stdout);
  return report;
}
