import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A BMC that speaks Redfish, over TLS with a certificate that it has signed itself. */
export interface RedfishBmc extends AsyncDisposable {
  readonly address: string;
  readonly user: string;
  readonly password: string;
  /** As `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  readonly certificate: string;
  /** What it describes itself as; the test may change it. */
  readonly system: Record<string, unknown>;
  readonly chassis: Record<string, unknown>;
  /** By path; the test may add and change. */
  readonly resources: Record<string, unknown>;
  /** How it takes a login by session: it gives one, has none free, or does not know them. */
  sessions: 'given' | 'none free' | 'unknown';
  /** Answers a request in the BMC's place when it returns true. */
  inFront: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** What changed something, in its order: `POST {"ResetType":"On"}`. */
  readonly done: string[];
  /** Logins that it has seen, right or wrong: `user:password`, or `session user:password`. */
  readonly logins: string[];
  /** Tokens of the sessions that are open. */
  readonly open: Set<string>;
  /** Connections that it has accepted. */
  connections: number;
}

const SYSTEM = '/redfish/v1/Systems/1';
const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;
const CHASSIS = '/redfish/v1/Chassis/1';
const SESSIONS = '/redfish/v1/SessionService/Sessions';

export async function startRedfishBmc(): Promise<RedfishBmc> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-redfish-'));
  const [key, certificateFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=bmc', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', certificateFile, ...subject], { stdio: 'ignore' });
  const certificate = readFileSync(certificateFile, 'utf8');
  const [user, password] = ['root', 'rack-secret-7'];
  const done: string[] = [];
  const logins: string[] = [];
  const system: Record<string, unknown> = {
    UUID: 'AAAAAAAA-0000-4000-8000-00000000000A',
    PowerState: 'Off',
    IndicatorLED: 'Off',
    Boot: {
      BootSourceOverrideMode: 'Legacy',
      'BootSourceOverrideTarget@Redfish.AllowableValues': ['None', 'Pxe', 'Hdd', 'BiosSetup'],
    },
    Actions: { '#ComputerSystem.Reset': { target: RESET, '@Redfish.ActionInfo': `${SYSTEM}/ResetActionInfo` } },
  };
  const chassis: Record<string, unknown> = {};
  const resources: Record<string, unknown> = {
    '/redfish/v1/': {
      Systems: { '@odata.id': '/redfish/v1/Systems' },
      Chassis: { '@odata.id': '/redfish/v1/Chassis' },
      Links: { Sessions: { '@odata.id': SESSIONS } },
    },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': SYSTEM }] },
    [SYSTEM]: system,
    [`${SYSTEM}/ResetActionInfo`]: {
      Parameters: [{ Name: 'ResetType', AllowableValues: ['On', 'ForceOff', 'ForceRestart'] }],
    },
    '/redfish/v1/Chassis': { Members: [{ '@odata.id': CHASSIS }] },
    [CHASSIS]: chassis,
  };
  const bmc: RedfishBmc = {
    address: '',
    user,
    password,
    fingerprint: new X509Certificate(certificate).fingerprint256,
    certificate,
    system,
    chassis,
    resources,
    sessions: 'given',
    inFront: () => false,
    done,
    logins,
    open: new Set(),
    connections: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const etag = (): string => `"${done.length}"`;
  const { open } = bmc;
  const send = (response: ServerResponse, status: number, value: unknown, headers: object = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json', etag: etag(), ...headers });
    response.end(JSON.stringify(value));
  };
  /** POST to the sessions, DELETE of one. */
  const session = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    if (request.method === 'DELETE') {
      open.delete((request.url ?? '').slice(SESSIONS.length + 1));
      return send(response, 204, {});
    }
    const { UserName, Password }: { UserName?: string; Password?: string } = JSON.parse(body);
    logins.push(`session ${UserName}:${Password}`);
    if (bmc.sessions === 'unknown') return send(response, 404, {});
    if (bmc.sessions === 'none free') return send(response, 503, {});
    if (UserName !== user || Password !== password) return send(response, 401, { error: { message: 'no' } });
    const token = `token-${logins.length}`;
    open.add(token);
    return send(response, 201, {}, { 'x-auth-token': token, location: `${SESSIONS}/${token}` });
  };
  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const { url = '', method, headers } = request;
    if (bmc.inFront(request, response)) return;
    const sent = headers.authorization;
    const login = Buffer.from((sent ?? '').replace('Basic ', ''), 'base64').toString('utf8');
    if (sent !== undefined) logins.push(login);
    const token = String(headers['x-auth-token'] ?? '');
    const isKnown = login === `${user}:${password}` || open.has(token);
    // DSP0266, section 13.3.1: the service root, and the way to a session, are open to everybody.
    const isOpen = (url === '/redfish/v1/' && method === 'GET') || (url === SESSIONS && method === 'POST');
    if (!isKnown && !isOpen) return send(response, 401, { error: { message: `who is ${login}?` } });
    if (url.startsWith(SESSIONS)) return session(request, response, body);
    const resource = resources[url];
    if (method === 'GET') return send(response, resource === undefined ? 404 : 200, resource ?? {});
    if (method === 'PATCH' && headers['if-match'] !== etag()) return send(response, 412, {});
    const { ResetType: type }: { ResetType?: string } = JSON.parse(body);
    if (method === 'POST' && url === RESET) system['PowerState'] = type === 'ForceOff' ? 'Off' : 'On';
    else if (method !== 'PATCH' || (url !== SYSTEM && url !== CHASSIS)) return send(response, 405, {});
    done.push(`${method}${url === CHASSIS ? ' chassis' : ''} ${body}`);
    return send(response, 200, {});
  };
  const server = createServer({ key: readFileSync(key), cert: certificate }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => answer(request, response, body));
  });
  // A slow test is no reason to close a connection.
  server.keepAliveTimeout = 60_000;
  server.on('secureConnection', () => {
    bmc.connections += 1;
  });
  rmSync(directory, { recursive: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  Object.assign(bmc, { address: `127.0.0.1:${bound.port}` });
  return bmc;
}
