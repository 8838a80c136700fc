import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** How to reach a PostgreSQL server. */
export interface PostgresAddress {
  /** Unix socket. */
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database: string;
  readonly tls: ConnectionOptions | false;
}

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];
const PARAMETERS = ['host', 'user', 'sslmode', 'sslrootcert'];

/**
 * Reads `postgres://user@host:5432/database?sslmode=…&sslrootcert=/path`, or
 * `postgres:///database?host=/run/postgresql&user=…` for a unix socket. Without `sslmode` a server that is not this host must show a certificate for its name: the passwords
 * of all BMCs pass there. Throws a `RangeError` that says what is wrong.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  if (!URL.canParse(text)) throw new RangeError('this is no URL: write postgres://user@host:5432/database');
  const url = new URL(text);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '') throw new RangeError('name the database: postgres://user@host:5432/database');
  const user = url.searchParams.get('user') ?? decodeURIComponent(url.username);
  if (url.password !== '' || url.searchParams.has('password')) {
    throw new RangeError(
      'leave the password out, write it to a file of mode 0600 and name that in databasePasswordFile',
    );
  }
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.includes(name)) throw new RangeError(`"${name}" is not known here: use ${PARAMETERS.join(', ')}`);
  }
  const identity = { database, ...(user === '' ? {} : { user }) };

  const given = url.searchParams.get('host') ?? url.hostname;
  const port = url.port === '' ? 5432 : Number(url.port);
  if (given.startsWith('/')) return { ...identity, path: `${given}/.s.PGSQL.${port}`, tls: false };
  // WHATWG URLs keep the brackets of IPv6 addresses.
  const host = given.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw new RangeError('name the host, or with ?host=/run/postgresql the folder of its socket');
  return { ...identity, host, port, tls: tlsOf(url.searchParams, host) };
}

function tlsOf(parameters: URLSearchParams, host: string): ConnectionOptions | false {
  const mode = parameters.get('sslmode') ?? (isLoopback(host) ? 'disable' : 'verify-full');
  if (!SSL_MODES.includes(mode)) throw new RangeError(`sslmode is one of ${SSL_MODES.join(', ')}, not "${mode}"`);
  const file = parameters.get('sslrootcert');
  if (mode === 'disable') {
    if (file !== null) throw new RangeError('sslrootcert is of no use with sslmode=disable');
    return false;
  }
  if (mode === 'require' && file === null) return { rejectUnauthorized: false };
  return {
    // Names the certificate must be for; TLS itself names no addresses.
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(file === null ? {} : { ca: readFileSync(file, 'utf8') }),
    // As with libpq, an authority given with `require` is checked, and the name only with `verify-full`.
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
