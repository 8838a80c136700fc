import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BootServerConfig } from '../../src/config.ts';
import { httpConfig, testConfig } from '../support/config.ts';
import { MAC_1, MAC_2 } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { configPath, getFrom, machines, scriptPath, withCa } from './machines.ts';

describe('names of files', () => {
  const kernelOf = (script: string): string => /kernel --name kernel http:\/\/boot(\S+)/.exec(script)?.[1] ?? '';
  const initrdOf = (script: string): string => /initrd --name initrd0 http:\/\/boot(\S+)/.exec(script)?.[1] ?? '';

  it('do not show what they stand for, and are new for every script', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const first = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const second = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect(first).not.toBe(second);
    for (const path of [first, second]) expect((await getFrom(lab, address, path)).body).toBe('the kernel');
    const name = new URL(first, 'http://boot').searchParams.get('name') ?? '';
    expect(Buffer.from(name, 'base64url').toString('latin1')).not.toContain('vmlinuz');
  });

  it.each([
    [
      'changed',
      (path: string) => path.replace(/(?<=name=.{40})./, (letter) => (letter === '_' ? '-' : '_')),
      'file_tampered',
    ],
    ['none', (path: string) => path.replace(/name=[^&]*/, 'name='), 'file_tampered'],
    ['of another NIC', (path: string) => path.replace(MAC_1, MAC_2), 'file_of_another'],
    ['of another kind', (path: string) => path.replace('type=kernel', 'type=initrd'), 'file_of_another'],
  ])('%s are refused, logged and counted', async (_what, change, code) => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const refused = await getFrom(lab, address, change(path));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ code });
    const reason = code.replaceAll('_', '-');
    expect(await lab.drops('http', reason)).toBe(1);
    expect(lab.log.events('http.refused')[0]?.fields).toMatchObject({ reason });
  });

  it('are good for their time only', async () => {
    const { lab, boot } = await machines({ signing: { urlMinutes: 10 } });
    const address = await boot(MAC_1);
    const path = kernelOf((await getFrom(lab, address, scriptPath(MAC_1))).body);
    await lab.clock.advance(9 * 60_000);
    expect((await getFrom(lab, address, path)).status).toBe(200);
    await lab.clock.advance(62_000);
    expect(JSON.parse((await getFrom(lab, address, path)).body)).toMatchObject({ code: 'file_expired' });
  });

  it('are good on another server with the same key, and after a change of keys as long as the old one is named', async () => {
    const folder = temporaryFolder();
    const keyFile = join(folder, 'key');
    const newKeyFile = join(folder, 'new');
    writeFileSync(keyFile, `${'a1'.repeat(32)}\n`, { mode: 0o600 });
    writeFileSync(newKeyFile, `${'b2'.repeat(32)}\n`, { mode: 0o600 });
    const first = await machines({ signing: { urlMinutes: 720, keyFile } });
    const address = await first.boot(MAC_1);
    const { body } = await getFrom(first.lab, address, scriptPath(MAC_1));
    const roots = { artifacts: { roots: [first.files], maxBytes: 1_000_000 } };
    const statusWith = async (signing: BootServerConfig['http']['signing']): Promise<number[]> => {
      const other = await startLab({ config: (dir) => withCa(dir, { ...roots, http: httpConfig({ signing }) }) });
      return [
        (await getFrom(other, address, kernelOf(body))).status,
        (await getFrom(other, address, initrdOf(body))).status,
        (await getFrom(other, address, configPath(body))).status,
      ];
    };
    expect(await statusWith({ urlMinutes: 720, keyFile })).toEqual([200, 200, 200]);
    expect(await statusWith({ urlMinutes: 720, keyFile: newKeyFile, previousKeyFile: keyFile })).toEqual([
      200, 200, 200,
    ]);
    expect(await statusWith({ urlMinutes: 720, keyFile: newKeyFile })).toEqual([403, 403, 403]);
    expect(await statusWith({ urlMinutes: 720 })).toEqual([403, 403, 403]);
  });

  it('a key that others may read, or that is none, keeps the server from starting', async () => {
    const keyFile = join(temporaryFolder(), 'key');
    writeFileSync(keyFile, 'secret', { mode: 0o600 });
    const start = (): Promise<Lab> =>
      startLab({ config: (dir) => testConfig(dir, { http: httpConfig({ signing: { urlMinutes: 720, keyFile } }) }) });
    await expect(start()).rejects.toThrow('openssl rand -hex 32');
    chmodSync(keyFile, 0o644);
    await expect(start()).rejects.toThrow('chmod 0600');
  });
});

describe('two boot servers', () => {
  const KEY = 'c3'.repeat(32);
  const pairOf = async (peersOfFirst: (port: number) => string[]) => {
    const keyFile = join(temporaryFolder(), 'key');
    writeFileSync(keyFile, KEY, { mode: 0o600 });
    const signing = { urlMinutes: 720, keyFile };
    const second = await startLab({ config: (dir) => withCa(dir, { http: httpConfig({ signing }) }) });
    const first = await machines({ signing }, peersOfFirst(second.server.httpPort));
    const address = await first.boot(MAC_1);
    const script = await getFrom(first.lab, address, scriptPath(MAC_1));
    return { first: first.lab, second, address, path: configPath(script.body), keyFile };
  };

  it('give a configuration once between them', async () => {
    const { first, second, address, path } = await pairOf((port) => [`http://127.0.0.1:${port}/`]);
    expect((await getFrom(first, address, path)).status).toBe(200);
    const again = await getFrom(second, address, path);
    expect(again.status).toBe(403);
    expect(JSON.parse(again.body)).toMatchObject({ code: 'nonce_used' });
  });

  it('refuse it when the other one gave it before, also if that could not tell', async () => {
    const { first, second, address, path } = await pairOf((port) => [`http://127.0.0.1:${port}`]);
    expect((await getFrom(second, address, path)).status).toBe(200);
    expect(JSON.parse((await getFrom(first, address, path)).body)).toMatchObject({ code: 'nonce_used' });
  });

  it('renew it by what came last only, on either', async () => {
    const { first, second, address, path } = await pairOf((port) => [`http://127.0.0.1:${port}`]);
    const renewalOf = ({ body }: { body: string }): string =>
      String(JSON.parse(body).renewal_url).replace('http://boot', '');
    const renewal = renewalOf(await getFrom(first, address, path));
    const next = renewalOf(await getFrom(first, address, renewal));
    expect((await getFrom(first, address, next)).status).toBe(200);
    expect(JSON.parse((await getFrom(second, address, renewal)).body)).toMatchObject({ code: 'renewal_replaced' });
  });

  it('give it when the other one is away, and say so', async () => {
    const { first, address, path } = await pairOf(() => ['http://127.0.0.1:9']);
    expect((await getFrom(first, address, path)).status).toBe(200);
    expect(first.log.events('peer.away')).toHaveLength(1);
    expect(await first.drops('http', 'peer-away')).toBe(1);
  });

  it('wait half a second at most for one that hangs', async () => {
    const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => {
      hanging.closeAllConnections();
      hanging.close();
    });
    await once(hanging, 'listening');
    const bound = hanging.address();
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
    const { first, address, path } = await pairOf(() => [`http://127.0.0.1:${port}`]);
    const answer = getFrom(first, address, path);
    await once(hanging, 'request');
    await first.clock.advance(501);
    expect((await answer).status).toBe(200);
    expect(await first.drops('http', 'peer-away')).toBe(1);
  });

  it.each(['', 'AAAA', 'A'.repeat(9_000)])('believe no stranger (%j)', async (token) => {
    const lab = await startLab();
    expect((await lab.get(`/_/used?nonce=${token}`)).status).not.toBe(200);
    const nonce = await lab.get(`/_/used?nonce=${token}`);
    expect([400, 403, 431]).toContain(nonce.status);
  });
});
