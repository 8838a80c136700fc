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
  /** What changed something, in its order: `POST {"ResetType":"On"}`. */
  readonly done: string[];
  /** Logins that it has seen, right or wrong. */
  readonly logins: string[];
}

const SYSTEM = '/redfish/v1/Systems/1';
const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;

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
  const resources = (): Readonly<Record<string, unknown>> => ({
    '/redfish/v1/': { Systems: { '@odata.id': '/redfish/v1/Systems' } },
    '/redfish/v1/Systems': { Members: [{ '@odata.id': SYSTEM }] },
    [SYSTEM]: system,
    [`${SYSTEM}/ResetActionInfo`]: {
      Parameters: [{ Name: 'ResetType', AllowableValues: ['On', 'ForceOff', 'ForceRestart'] }],
    },
  });
  const etag = (): string => `"${done.length}"`;
  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const login = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString('utf8');
    logins.push(login);
    const send = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', etag: etag() }).end(JSON.stringify(value));
    };
    if (login !== `${user}:${password}`) return send(401, { error: { message: `who is ${login}?` } });
    const resource = resources()[request.url ?? ''];
    if (request.method === 'GET') return send(resource === undefined ? 404 : 200, resource ?? {});
    if (request.method === 'PATCH' && request.headers['if-match'] !== etag()) return send(412, {});
    const { ResetType: type }: { ResetType?: string } = JSON.parse(body);
    if (request.method === 'POST' && request.url === RESET) system['PowerState'] = type === 'ForceOff' ? 'Off' : 'On';
    else if (request.method !== 'PATCH' || request.url !== SYSTEM) return send(405, {});
    done.push(`${request.method} ${body}`);
    return send(200, {});
  };
  const server = createServer({ key: readFileSync(key), cert: certificate }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => answer(request, response, body));
  });
  rmSync(directory, { recursive: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    address: `127.0.0.1:${bound.port}`,
    user,
    password,
    fingerprint: new X509Certificate(certificate).fingerprint256,
    certificate,
    system,
    done,
    logins,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
