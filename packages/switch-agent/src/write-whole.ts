import { open, rename } from 'node:fs/promises';

/**
 * Writes a file, readable for its owner alone, so that a crash or a loss of power leaves the old one or the new one,
 * whole. Rejects as Node does.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    // The mode above is for new files only.
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
