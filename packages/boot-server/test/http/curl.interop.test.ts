import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { loadTls, watchTls, type TlsFiles } from '../../src/http/tls.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BIG, big, ENGINES, serve } from './served.ts';

const run = promisify(execFile);
const curl = async (...words: string[]): Promise<string> =>
  (await run('curl', ['--silent', '--show-error', '--max-time', '30', ...words])).stdout;

function certificate(folder: string, name = 'tls'): TlsFiles {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1 -keyout ${keyFile} -out ${certFile}`;
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  return { certFile, keyFile };
}

describe.each(ENGINES)('curl, with the %s engine', (engine) => {
  it('downloads, takes up a broken download, and asks for a part', async () => {
    const { port } = await serve(engine);
    const path = join(temporaryFolder(), 'big');
    const url = `http://127.0.0.1:${port}/boot/big`;
    await curl('--output', path, url);
    expect(readFileSync(path).equals(big)).toBe(true);
    truncateSync(path, 5_000_001);
    await curl('--continue-at', '-', '--output', path, url);
    expect(readFileSync(path).equals(big)).toBe(true);
    await curl('--range', '100000-299999', '--output', path, url);
    expect(readFileSync(path).equals(big.subarray(100_000, 300_000))).toBe(true);
  });

  it('speaks HTTP/1.0, keeps a connection over several files, and asks for the head only', async () => {
    const { port } = await serve(engine);
    const path = join(temporaryFolder(), 'big');
    const url = `http://127.0.0.1:${port}/boot`;
    await curl('--http1.0', '--output', path, `${url}/big`);
    expect(readFileSync(path).equals(big)).toBe(true);
    const words = ['--output', path, `${url}/big`, '--output', path, `${url}/small`, '--output', path, `${url}/big`];
    const counted = await curl('--write-out', '%{num_connects} %{size_download}\n', ...words);
    expect(counted.trim().split('\n')).toEqual([`1 ${BIG}`, '0 5', `0 ${BIG}`]);
    expect(await curl('--head', `${url}/big`)).toContain(`Content-Length: ${BIG}`);
  });

  it('downloads over HTTPS', async () => {
    const folder = temporaryFolder();
    const tls = certificate(folder);
    const { port } = await serve(engine, { tls });
    const path = join(folder, 'big');
    await curl('--cacert', tls.certFile, '--output', path, `https://127.0.0.1:${port}/boot/big`);
    expect(readFileSync(path).equals(big)).toBe(true);
    await expect(curl('--output', path, `https://127.0.0.1:${port}/boot/big`)).rejects.toThrow();
  });
});

it('counts connections before they begin TLS, for each client', async () => {
  const tls = certificate(temporaryFolder());
  const { port, drops } = await serve('node', { tls, limits: { connectionsPerClient: 2 } });
  const small = ['--insecure', `https://127.0.0.1:${port}/boot/small`];
  // Its places are free again when it has been served.
  for (let time = 0; time < 4; time += 1) expect(await curl(...small)).toBe('small');
  const silent = [1, 2].map(() => connect({ port, host: '127.0.0.1' }));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  await expect.poll(() => curl(...small).catch(() => 'refused'), { timeout: 10_000 }).toBe('refused');
  expect(await drops('too-many-connections')).toBeGreaterThan(0);
  for (const socket of silent) socket.destroy();
  await expect.poll(() => curl(...small).catch(() => 'refused'), { timeout: 10_000 }).toBe('small');
});

describe('the certificate', () => {
  it('is read again when it changes; a bad one is told of once and the old one stays', async () => {
    const folder = temporaryFolder();
    const files = certificate(folder);
    const clock = new MockClock();
    const log = new MemoryLogger();
    const used: string[] = [];
    const first = await loadTls(files);
    const watch = watchTls({ clock, log, files, use: ({ cert }) => used.push(cert) }, first);
    const look = async (event: string, count: number): Promise<void> => {
      await clock.advance(60_000);
      const deadline = Date.now() + 20_000;
      while (log.events(event).length < count && Date.now() < deadline)
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      expect(log.events(event)).toHaveLength(count);
    };
    const next = certificate(folder, 'next');
    writeFileSync(files.certFile, readFileSync(next.certFile));
    await look('tls.refused', 1);
    await look('tls.refused', 1);
    writeFileSync(files.keyFile, readFileSync(next.keyFile));
    await look('tls.renewed', 1);
    expect(log.events('tls.refused')).toHaveLength(1);
    expect(used).toEqual([readFileSync(next.certFile, 'utf8')]);
    watch.stop();
  });

  it('is taken at once when the server is told to look, and a download goes on over the old one', async () => {
    const folder = temporaryFolder();
    const files = certificate(folder);
    const { server, port } = await serve('node', { tls: files });
    const url = `https://127.0.0.1:${port}/boot`;
    const next = certificate(folder, 'next');
    const path = join(folder, 'big');
    const slow = curl('--insecure', '--limit-rate', '8M', '--output', path, `${url}/big`);
    await expect.poll(() => existsSync(path), { timeout: 10_000 }).toBe(true);
    await expect(curl('--cacert', next.certFile, `${url}/small`)).rejects.toThrow();
    writeFileSync(files.certFile, readFileSync(next.certFile));
    writeFileSync(files.keyFile, readFileSync(next.keyFile));
    await server.renew();
    expect(await curl('--cacert', next.certFile, `${url}/small`)).toBe('small');
    await slow;
    expect(readFileSync(path).equals(big)).toBe(true);
  });

  it('that cannot be used keeps the server from starting, and the file and its fault are named', async () => {
    const folder = temporaryFolder();
    const { certFile, keyFile } = certificate(folder);
    const other = certificate(folder, 'other');
    const junk = join(folder, 'junk');
    writeFileSync(junk, 'junk', { mode: 0o600 });
    const missing = join(folder, 'missing');
    for (const [tls, words] of [
      [{ certFile, keyFile: other.keyFile }, `${other.keyFile} is not the key of the certificate in ${certFile}`],
      [{ certFile: junk, keyFile }, `${junk} holds no certificate in PEM`],
      [{ certFile, keyFile: junk }, `${junk} holds no private key in PEM`],
      [{ certFile: missing, keyFile }, `no such file or directory, open '${missing}'`],
    ] as const)
      await expect(serve('node', { tls })).rejects.toMatchObject({
        code: 'BOOT_FILE_UNUSABLE',
        message: expect.stringContaining(words),
      });
  });

  it('is warned of a week before it ends, and when it has ended, once each', async () => {
    const files = certificate(temporaryFolder());
    const pair = await loadTls(files);
    const clock = new MockClock({ nowMs: pair.validUntil - 8 * 24 * 3_600_000 });
    const log = new MemoryLogger();
    const watch = watchTls({ clock, log, files, use: () => undefined }, pair);
    const warned = (): string[] => log.records.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    const look = async (count: number): Promise<void> => {
      await clock.advance(60_000);
      // The files are read anew each time.
      for (let turn = 0; turn < 1_000 && warned().length < count; turn += 1) await setTimeout(10);
    };
    await look(0);
    expect(warned()).toEqual([]);
    clock.stepWallClock(24 * 3_600_000);
    await look(1);
    await look(1);
    expect(warned()).toEqual([expect.stringMatching(/ends at .*: renew .*tls\.pem$/)]);
    clock.stepWallClock(8 * 24 * 3_600_000);
    await look(2);
    await look(2);
    expect(warned().slice(1)).toEqual([expect.stringMatching(/ended at .*, and clients refuse it: renew /)]);
    watch.stop();
  });
});
