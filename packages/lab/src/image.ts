import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './errors.ts';
import { lineReader } from './lines.ts';
import type { DiscoveryImage } from './management.ts';

/** Builds kernel and initrd with images/build.ts, which does nothing where nothing changed; `say` gets its progress, not its size table. */
export async function buildImage(root: string, say: (line: string) => void): Promise<DiscoveryImage> {
  const out = join(root, '.cache/image/out');
  const image = { kernel: join(out, 'vmlinuz'), initrd: join(out, 'initrd') };
  const lines: string[] = [];
  const status = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'images/build.ts'), '--out', out], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const handle = lineReader((line) => {
      lines.push(line);
      if (line.startsWith('image: ')) say(line);
    });
    child.stdout.on('data', handle);
    child.stderr.on('data', handle);
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0 || !existsSync(image.kernel) || !existsSync(image.initrd)) {
    throw new LabError(
      'LAB_COMMAND_FAILED',
      `the discovery image could not be built: ${lines.at(-1) ?? `status ${status}`}`,
    );
  }
  return image;
}
