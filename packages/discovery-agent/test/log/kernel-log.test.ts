import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kernelLog } from '../../src/log/kernel-log.ts';

test('a line is one record with its severity, cut to what the kernel takes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-kmsg-'));
  try {
    const path = join(folder, 'kmsg');
    writeFileSync(path, '');
    const write = kernelLog(path);
    write({ timeMs: 0, level: 'info', phase: 'lldp', words: 'listening' });
    expect(readFileSync(path, 'utf8')).toBe('<30>ingot: lldp: listening');
    writeFileSync(path, '');
    write({ timeMs: 0, level: 'error', phase: 'crashed', words: 'x'.repeat(5_000) });
    const record = readFileSync(path, 'utf8');
    expect(record).toMatch(/^<27>ingot: crashed: x+$/);
    expect(record).toHaveLength(900);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a kernel without that device costs nothing', () => {
  expect(() =>
    kernelLog('/nonexistent/kmsg')({ timeMs: 0, level: 'info', phase: 'lldp', words: 'listening' }),
  ).not.toThrow();
});
