import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/store/open-database.ts';
import { createAuthority, createServerIdentity } from '../../src/tls/certificates.ts';
import { startPostgres } from '../postgres-server.ts';

const NOBODY = 65_534;
const password = 'hunter22-very-secret';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('PostgreSQL is spoken to over TLS, with a password that nothing repeats, and only if it is who it should be', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-pg-tls-'));
  try {
    await chmod(directory, 0o755);
    const file = (name: string): string => join(directory, name);
    const authority = await createAuthority(Date.now(), '01');
    const stranger = await createAuthority(Date.now(), '02');
    const identity = await createServerIdentity(authority, ['127.0.0.1'], Date.now(), '03');
    await writeFile(file('ca.pem'), authority.cert);
    await writeFile(file('stranger.pem'), stranger.cert);
    await writeFile(file('server.pem'), identity.cert);
    await writeFile(file('server.key'), identity.key, { mode: 0o600 });
    if (process.getuid?.() === 0) await chown(file('server.key'), NOBODY, NOBODY);
    const port = await freePort();
    await using server = await startPostgres({
      listen_addresses: '127.0.0.1',
      port: `${port}`,
      ssl: 'on',
      ssl_cert_file: file('server.pem'),
      ssl_key_file: file('server.key'),
    });
    await server.sql(`CREATE ROLE api LOGIN PASSWORD '${password}'`);
    await server.sql('CREATE DATABASE secured OWNER api');
    const rules = 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n';
    await writeFile(join(server.directory, 'data', 'pg_hba.conf'), rules);
    await server.sql('SELECT pg_reload_conf()');

    const open = (host: string, parameters: string, secret = password) =>
      openDatabase(
        { dialect: 'postgres', url: `postgres://api@${host}:${port}/secured?${parameters}`, password: secret },
        { clock: systemClock },
      );
    const refused = async (host: string, parameters: string, secret?: string): Promise<string> => {
      try {
        await (await open(host, parameters, secret)).close();
      } catch (error) {
        const words = error instanceof Error ? `${error.message} ${error.stack ?? ''}` : '';
        expect(words).not.toContain(password);
        return words;
      }
      throw new Error('it was taken');
    };
    const ca = `sslrootcert=${file('ca.pem')}`;
    {
      await using database = await open('127.0.0.1', `sslmode=verify-full&${ca}`);
      expect(await database.get('SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual({
        version: 'TLSv1.3',
      });
    }
    await (await open('localhost', `sslmode=verify-ca&${ca}`)).close();
    await (await open('127.0.0.1', 'sslmode=require')).close();
    expect(await refused('localhost', `sslmode=verify-full&${ca}`)).toContain("does not match certificate's altnames");
    expect(await refused('127.0.0.1', `sslmode=verify-full&sslrootcert=${file('stranger.pem')}`)).toContain(
      'cannot use the database',
    );
    expect(await refused('127.0.0.1', 'sslmode=disable')).toContain('no pg_hba.conf entry');
    expect(await refused('127.0.0.1', `sslmode=verify-full&${ca}`, 'guess')).toContain(
      'password authentication failed',
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
