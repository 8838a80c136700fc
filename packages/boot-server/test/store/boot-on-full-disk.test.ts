import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { openDatabase } from '../../src/store/database.ts';
import { configPath, getFrom, scriptPath } from '../http/machines.ts';
import { httpConfig, subnetConfig, testConfig } from '../support/config.ts';
import { relay } from '../support/dhcp-client.ts';
import { CLIENTS, MAC_1 } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';

/** Who refuse every row. */
const TABLES = ['sighting_log', 'boot_subject_log', 'last_nonce', 'used_nonce'] as const;

it('a machine beside another server boots up to its configuration on a full disk, and has that once there is room', async () => {
  const lab = await startLab({
    config: (dir) => {
      writeFileSync(join(dir, 'ca.pem'), 'CA');
      return testConfig(dir, {
        dhcp: { ...testConfig(dir).dhcp, mode: 'proxy', subnets: [subnetConfig('10.0.1', { pool: undefined })] },
        http: httpConfig({ url: 'http://boot' }),
      });
    },
  });
  const disk = openDatabase(join(lab.dataDir, 'boot-server.sqlite'));
  const fill = (): void => {
    for (const table of TABLES)
      disk.exec(
        `CREATE TRIGGER full_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`,
      );
  };
  const empty = (): void => {
    for (const table of TABLES) disk.exec(`DROP TRIGGER full_${table}`);
  };
  fill();
  const via = await relay(lab, '10.0.1.1');
  expect(await via.ask(MessageType.DISCOVER, { mac: MAC_1, kind: CLIENTS.efiIpxe })).toBeDefined();
  const earlier = await getFrom(lab, '127.0.0.1', scriptPath(MAC_1));
  const script = await getFrom(lab, '127.0.0.1', scriptPath(MAC_1));
  expect([earlier.status, script.status]).toEqual([200, 200]);
  const events = lab.server.watch.timeline.find(MAC_1)?.entries.map(({ event }) => event) ?? [];
  expect(events).toEqual(['sighting.unwritten', 'dhcp.offer', 'http.script', 'http.script']);

  // A nonce is good once, which has to be written before it opens anything; and the last one replaces that before.
  const path = configPath(script.body);
  const refused = await getFrom(lab, '127.0.0.1', path);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('5');
  empty();
  disk.close();
  expect((await getFrom(lab, '127.0.0.1', configPath(earlier.body))).status).toBe(403);
  expect((await getFrom(lab, '127.0.0.1', path)).status).toBe(200);
  expect((await getFrom(lab, '127.0.0.1', path)).status).toBe(403);
});
