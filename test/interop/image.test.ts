import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildImage } from '../../images/build.ts';

test('building the whole image twice gives the same bytes', { timeout: 600_000 }, async () => {
  const out = mkdtempSync(join(tmpdir(), 'ingot-image-'));
  try {
    const first = await buildImage({ out, fresh: true });
    const second = await buildImage({ out, fresh: true });
    expect(second.initrd).toEqual(first.initrd);
    expect(second.vmlinuz).toEqual(first.vmlinuz);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
