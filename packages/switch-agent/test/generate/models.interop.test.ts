import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateCommand } from '../../src/generate/generate-command.ts';
import { testSwitch, writeSwitch } from '../platforms/platforms.ts';
import { miniModels, sonicModels, whySkipped } from '../yang/models.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-generate-'));
  await writeSwitch(root, testSwitch('as7726'));
  await writeFile(join(root, 'c.yaml'), 'bgp_ports: [Ethernet0]\n');
});
afterAll(() => rm(root, { recursive: true }));

async function generate(modelsDir: string) {
  const printed = { out: '', err: '' };
  const places = {
    '-i': 'c.yaml',
    '-e': 'etc/sonic/sonic-environment',
    '-v': 'etc/sonic/sonic_version.yml',
    '--device-dir': 'usr/share/sonic/device',
    '--mac-file': 'sys/class/net/eth0/address',
    '--init-file': 'init_cfg.json',
    '-o': 'config_db.json',
  };
  const args = Object.entries(places).flatMap(([option, path]) => [option, join(root, path)]);
  const status = await generateCommand([...args, '--yang-models', modelsDir], {
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
    env: {},
    signal: new AbortController().signal,
  });
  return { status, ...printed };
}

test.skipIf(whySkipped(false) !== undefined)('what the models refuse is not written', async () => {
  await using models = await miniModels();
  const { status, err } = await generate(models.folder);
  expect(status).toBe(2);
  // The small model of PORT has no such field.
  expect(err).toContain('PORT|Ethernet0 alias: ');
  expect(err).toContain('what would be generated is not valid by ');
  expect(existsSync(join(root, 'config_db.json'))).toBe(false);
});

test.skipIf(whySkipped(true) !== undefined)('what SONiC’s models take is written', async () => {
  expect(await generate(sonicModels ?? '')).toMatchObject({ status: 0, err: expect.stringContaining(': written') });
});
