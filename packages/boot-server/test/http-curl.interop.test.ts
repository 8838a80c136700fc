import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { loadTls, watchTls, type TlsFiles } from '../src/http/tls.ts';
import { temporaryFolder } from './harness.ts';
import { BIG, big, ENGINES, serve } from './http-served.ts';

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
    expect(await curl('--head', `${url}/big`)).toContain(`Content-Length: ${BIG}`.toLowerCase());
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

describe('the certificate', () => {
  it('is read again when it changes; a bad one is told of once and the old one stays', async () => {
    const folder = temporaryFolder();
    const files = certificate(folder);
    const clock = new MockClock();
    const log = new MemoryLogger();
    const used: string[] = [];
    const first = await loadTls(files);
    const stop = watchTls({ clock, log, files, use: ({ cert }) => used.push(cert) }, first);
    const look = async (event: string, count: number): Promise<void> => {
      await clock.advance(60_000);
      const deadline = Date.now() + 5_000;
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
    stop();
  });

  it('that does not fit its key keeps the server from starting', async () => {
    const folder = temporaryFolder();
    const { certFile } = certificate(folder);
    const { keyFile } = certificate(folder, 'other');
    await expect(serve('node', { tls: { certFile, keyFile } })).rejects.toThrow('http.tls');
  });
});
