import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readIncludeFile } from '../../src/frr/include-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-include-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function written(content: string | Uint8Array): Promise<string> {
  const path = join(folder, 'frr.conf');
  await rm(path, { force: true });
  await writeFile(path, content);
  return path;
}

describe('readIncludeFile', () => {
  it('gives the lines as they are, with the line ends of Unix', async () => {
    const path = await written('ip route 10.0.0.0/8 Null0\r\n! Grüße\n');
    expect(await readIncludeFile(path)).toEqual({ path, text: 'ip route 10.0.0.0/8 Null0\n! Grüße\n' });
  });

  it('takes a file that is not there for one without lines', async () => {
    expect(await readIncludeFile(join(folder, 'none'))).toBeUndefined();
  });

  it.each([
    ['is not UTF-8', new Uint8Array([0x41, 0xff, 0x42]), /not UTF-8/],
    ['has a NUL byte', 'line one\nline\0two\n', /control character in line 2/],
    ['has an escape sequence', '\u001B[2J', /control character in line 1/],
    ['has a line that FRR would cut', `! ${'x'.repeat(5000)}`, /4000 bytes in line 1/],
    ['is no configuration by its size', '!\n'.repeat(600_000), /1048576 bytes/],
  ])('refuses one that %s', async (_what, content, reason) => {
    const path = await written(content);
    await expect(readIncludeFile(path)).rejects.toMatchObject({
      code: 'SWITCH_FRR_INCLUDE',
      message: expect.stringMatching(reason),
    });
  });

  it('refuses a folder', async () => {
    const path = join(folder, 'folder');
    await mkdir(path);
    await expect(readIncludeFile(path)).rejects.toMatchObject({ code: 'SWITCH_FRR_INCLUDE' });
  });
});
