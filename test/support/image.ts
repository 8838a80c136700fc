import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '../..');

export const image: { readonly kernel: string; readonly initrd: string } = {
  kernel: join(root, '.cache/image/out/vmlinuz'),
  initrd: join(root, '.cache/image/out/initrd'),
};

/** Builds the discovery image; does nothing where nothing changed. Vitest calls it once before the tests that boot. */
export default function prepareImage(): void {
  execFileSync(process.execPath, ['images/build.ts', '--out', '.cache/image/out'], { cwd: root, stdio: 'inherit' });
}
