import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSecretFile } from '../src/index.ts';

describe('readSecretFile', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-secret-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const secretFile = async (mode: number, text = ' s3cret\n'): Promise<string> => {
    const path = join(folder, `mode ${mode.toString(8)} ${text.length}`);
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  };

  it.each([0o600, 0o400, 0o640])('reads a file of mode %o, without the white space around it', async (mode) => {
    expect(await readSecretFile(await secretFile(mode))).toBe('s3cret');
  });

  it.each([0o604, 0o644, 0o602, 0o660])('refuses mode %o, with the command that mends it', async (mode) => {
    const path = await secretFile(mode);
    const refusal = readSecretFile(path);
    await expect(refusal).rejects.toMatchObject({ code: 'DAEMON_SECRET_FILE' });
    await expect(refusal).rejects.toThrow(`mode 0${mode.toString(8)} lets others use it; run: chmod 0600 '${path}'`);
  });

  it('refuses a missing file, an empty one, one that is too large, a folder and a FIFO', async () => {
    await expect(readSecretFile(join(folder, 'none'))).rejects.toThrow(/ENOENT/);
    await expect(readSecretFile(await secretFile(0o600, ' \n'))).rejects.toThrow(/it is empty/);
    await expect(readSecretFile(await secretFile(0o600, 'x'.repeat(65_537)))).rejects.toThrow(/too many for a secret/);
    await expect(readSecretFile(folder)).rejects.toThrow(/no regular file/);
    execFileSync('mkfifo', ['-m', '0600', join(folder, 'fifo')]);
    await expect(readSecretFile(join(folder, 'fifo'))).rejects.toThrow(/no regular file/);
  });
});
