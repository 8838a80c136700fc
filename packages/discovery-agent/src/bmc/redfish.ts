import { AgentError, AgentErrorCode } from '../errors.ts';
import { printable } from '../inventory/printable.ts';
import type { BmcAccount } from './bmc.ts';
import { isObject } from './redfish-http.ts';
import type { RedfishAnswer, RedfishHttp, RedfishMethod, RedfishOptions } from './redfish-http.ts';

type Resource = Readonly<Record<string, unknown>>;

const root = '/redfish/v1/';
/** More members of a collection are nobody's machine. */
const maxMembers = 64;
const maxText = 128;

export interface RedfishManager {
  readonly firmware: string;
  readonly interfaces: readonly { readonly mac: string; readonly ipv4: string }[];
}

/** The manager's firmware and network interfaces. Empty texts for what it does not say. */
export async function readManager(http: RedfishHttp, as: BmcAccount): Promise<RedfishManager> {
  const [manager] = await members(http, linkIn(await get(http, root, undefined), 'Managers'), as);
  if (manager === undefined) throw failed('the service has no manager');
  const ports = await members(http, linkIn(manager.body, 'EthernetInterfaces'), as);
  return {
    firmware: textIn(manager.body, 'FirmwareVersion'),
    interfaces: ports.map(({ body }) => ({ mac: macIn(body), ipv4: ipv4In(body) })),
  };
}

/**
 * Gives `account.user` this password and the rights of an administrator, and logs in with it. An account of that name is
 * changed, else one is made; where accounts are slots, as on Dell's, a slot without a name is taken.
 */
export async function setUpAccount(http: RedfishHttp, account: BmcAccount, as: BmcAccount): Promise<void> {
  const service = await get(http, root, undefined);
  const accounts = linkIn(await get(http, linkIn(service, 'AccountService'), as), 'Accounts');
  const known = await members(http, accounts, as);
  const wanted = { Password: account.password.reveal(), RoleId: 'Administrator', Enabled: true };
  const own = known.find(({ body }) => body['UserName'] === account.user);
  if (own !== undefined) await change(http, own, wanted, as);
  else {
    const made = await http.send('POST', accounts, { account: as, body: { UserName: account.user, ...wanted } });
    if (made.status === methodNotAllowed) {
      // The first slot is reserved there.
      const free = known.slice(1).find(({ body }) => body['UserName'] === '' && body['Enabled'] !== true);
      if (free === undefined) throw failed(`there is no free account for ${account.user}`);
      await change(http, free, { UserName: account.user, ...wanted }, as);
    } else check('POST', accounts, made);
  }
  // Any resource behind the login will do.
  const proof = await http.send('GET', accounts, { account });
  if (proof.status !== ok) throw failed(`${account.user} cannot log in afterwards: status ${proof.status}`);
}

const ok = 200;
const methodNotAllowed = 405;

interface Member {
  readonly path: string;
  readonly etag: string;
  readonly body: Resource;
}

async function change(http: RedfishHttp, { path, etag }: Member, body: Resource, as: BmcAccount): Promise<void> {
  await send(http, 'PATCH', path, { account: as, etag, body });
}

async function members(http: RedfishHttp, path: string, account: BmcAccount): Promise<readonly Member[]> {
  const links = (await get(http, path, account))['Members'];
  if (!Array.isArray(links)) throw failed(`${path} has no members`);
  const found: Member[] = [];
  for (const link of links.slice(0, maxMembers)) {
    const member = pathIn(link, path);
    const answer = await send(http, 'GET', member, { account });
    found.push({ path: member, etag: answer.etag, body: answer.body ?? {} });
  }
  return found;
}

async function get(http: RedfishHttp, path: string, account: BmcAccount | undefined): Promise<Resource> {
  const { body } = await send(http, 'GET', path, account === undefined ? {} : { account });
  if (body === undefined) throw failed(`${path} is no JSON object`);
  return body;
}

async function send(
  http: RedfishHttp,
  method: RedfishMethod,
  path: string,
  options: RedfishOptions,
): Promise<RedfishAnswer> {
  const answer = await http.send(method, path, options);
  check(method, path, answer);
  return answer;
}

function check(method: RedfishMethod, path: string, { status, body }: RedfishAnswer): void {
  if (status >= 200 && status < 300) return;
  const error = isObject(body?.['error']) ? textIn(body['error'], 'message') : '';
  throw failed(`${method} ${path}: status ${status}${error === '' ? '' : `, ${error}`}`);
}

function linkIn(resource: Resource, name: string): string {
  return pathIn(resource[name], name);
}

/** A link to a resource of the same service: a path, never another host. */
function pathIn(link: unknown, where: string): string {
  const path = isObject(link) ? link['@odata.id'] : undefined;
  if (typeof path !== 'string' || !/^\/redfish\/v1\/[\w/.~%:@-]+$/.test(path))
    throw failed(`${where} has no link to a resource`);
  return path;
}

function textIn(resource: Resource, name: string): string {
  const value = resource[name];
  return typeof value === 'string' ? printable(value, maxText) : '';
}

function macIn(resource: Resource): string {
  const mac = textIn(resource, 'MACAddress').toLowerCase();
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? mac : '';
}

function ipv4In(resource: Resource): string {
  const addresses = resource['IPv4Addresses'];
  const [first] = Array.isArray(addresses) ? addresses : [];
  const text = isObject(first) ? textIn(first, 'Address') : '';
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text !== '0.0.0.0' ? text : '';
}

function failed(what: string): AgentError {
  return new AgentError(AgentErrorCode.BmcFailed, `Redfish: ${what}`);
}
