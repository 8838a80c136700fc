import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

export interface MockAccount {
  UserName: string;
  Password: string;
  RoleId: string;
  Enabled: boolean;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly etag?: string;
}

const fixture = (name: string): string =>
  readFileSync(new URL(`../../api/test/fixtures/${name}`, import.meta.url), 'utf8');

/** A Redfish service in memory, as far as DSP0266 goes for managers and accounts. */
export class RedfishMock implements AsyncDisposable {
  readonly #server = createServer({ cert: fixture('server.pem'), key: fixture('server.key') }, (request, response) => {
    void this.#answer(request, response);
  });
  readonly accounts: Map<number, MockAccount> = new Map<number, MockAccount>();
  /** As on Dell's: accounts are slots, which cannot be made. */
  hasSlots = false;
  mac = '02:00:00:BB:00:65';
  /** What every request brought, as `METHOD path`. */
  readonly seen: string[] = [];
  /** Takes precedence over what it would say. */
  fault: (method: string, path: string) => Answer | 'silence' | undefined = () => undefined;

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get fingerprint(): Uint8Array {
    const hex = new X509Certificate(fixture('server.pem')).fingerprint256.replaceAll(':', '');
    return Uint8Array.from(Buffer.from(hex, 'hex'));
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    this.seen.push(`${method} ${url}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const fault = this.fault(method, url);
    if (fault === 'silence') return;
    const text = Buffer.concat(chunks).toString('utf8');
    const given: Partial<MockAccount> = text === '' ? {} : JSON.parse(text);
    const { status, body, etag } = fault ?? this.#serve(request, given);
    response.writeHead(status, { 'content-type': 'application/json', ...(etag !== undefined && { etag }) });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  #serve(request: IncomingMessage, given: Partial<MockAccount>): Answer {
    const { method = '', url = '' } = request;
    const at = (path: string): object => ({ '@odata.id': path });
    if (url === '/redfish/v1/')
      return ok({ Managers: at('/redfish/v1/Managers'), AccountService: at('/redfish/v1/AccountService') });
    if (!this.#isKnown(request.headers.authorization)) return error(401, 'no valid session');
    const id = Number(/^\/redfish\/v1\/AccountService\/Accounts\/(\d+)$/.exec(url)?.[1] ?? Number.NaN);
    const account = this.accounts.get(id);
    if (account !== undefined) {
      const etag = `W/"${Buffer.from(JSON.stringify(account)).toString('base64url').length}-${account.UserName}"`;
      if (method === 'GET') return { status: 200, body: { ...account, Password: null }, etag };
      if (method !== 'PATCH') return error(405, 'not allowed');
      if (request.headers['if-match'] !== etag) return error(412, 'the account has changed');
      Object.assign(account, given);
      return { status: 204 };
    }
    switch (`${method} ${url}`) {
      case 'GET /redfish/v1/Managers':
        return ok({ Members: [at('/redfish/v1/Managers/BMC')] });
      case 'GET /redfish/v1/Managers/BMC':
        return ok({ FirmwareVersion: '1.74', EthernetInterfaces: at('/redfish/v1/Managers/BMC/EthernetInterfaces') });
      case 'GET /redfish/v1/Managers/BMC/EthernetInterfaces':
        return ok({
          Members: ['usb0', 'eth0'].map((name) => at(`/redfish/v1/Managers/BMC/EthernetInterfaces/${name}`)),
        });
      case 'GET /redfish/v1/Managers/BMC/EthernetInterfaces/usb0':
        return ok({ MACAddress: '02:00:00:00:00:2B', IPv4Addresses: [] });
      case 'GET /redfish/v1/Managers/BMC/EthernetInterfaces/eth0':
        return ok({ MACAddress: this.mac, IPv4Addresses: [{ Address: '10.0.0.101' }] });
      case 'GET /redfish/v1/AccountService':
        return ok({ Accounts: at('/redfish/v1/AccountService/Accounts') });
      case 'GET /redfish/v1/AccountService/Accounts':
        return ok({
          Members: [...this.accounts.keys()].map((each) => at(`/redfish/v1/AccountService/Accounts/${each}`)),
        });
      case 'POST /redfish/v1/AccountService/Accounts': {
        if (this.hasSlots) return error(405, 'accounts are slots');
        const { UserName = '', Password = '', RoleId = '', Enabled = false } = given;
        this.accounts.set(this.accounts.size + 1, { UserName, Password, RoleId, Enabled });
        return { status: 201 };
      }
      default:
        return error(404, 'there is no such resource');
    }
  }

  #isKnown(authorization = ''): boolean {
    const login = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('utf8');
    return [...this.accounts.values()].some(
      ({ UserName, Password, Enabled }) => Enabled && UserName !== '' && login === `${UserName}:${Password}`,
    );
  }
}

const ok = (body: object): Answer => ({ status: 200, body });
const error = (status: number, message: string): Answer => ({ status, body: { error: { code: 'Base.1.0', message } } });
