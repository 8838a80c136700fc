import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** How many malformed requests of each protocol went out. */
export interface FloodReport {
  readonly dhcp: number;
  readonly tftp: number;
  readonly http: number;
}

/** Throws `count` generated malformed requests of each protocol at `address`, from inside network namespace `namespace`. */
export async function flood(namespace: string, address: string, count: number): Promise<FloodReport> {
  const { stdout } = await promisify(execFile)(
    'ip',
    ['netns', 'exec', namespace, process.execPath, join(import.meta.dirname, 'flood-main.ts'), address, String(count)],
    { timeout: 120_000 },
  );
  const report: FloodReport = JSON.parse(stdout);
  return report;
}
