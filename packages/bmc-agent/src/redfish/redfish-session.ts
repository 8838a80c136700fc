import { z } from 'zod';
import { BmcError, BmcErrorCode } from '../errors.ts';
import type { BmcTarget } from '../target.ts';
import type { RedfishTrust } from './open-tls.ts';
import { link } from './link.ts';
import {
  redfishTransport,
  type RedfishMethod,
  type RedfishRequest,
  type RedfishResponse,
} from './redfish-transport.ts';

export interface RedfishAnswer {
  readonly body: unknown;
  readonly etag: string | undefined;
}

/** Asks the BMC; rejects with a BmcError, or the reason of the signal. `path` starts with a slash. */
export type RedfishCall = (
  method: Exclude<RedfishMethod, 'DELETE'>,
  path: string,
  change?: { readonly body: unknown; readonly etag?: string | undefined },
) => Promise<RedfishAnswer>;

/** A login at a BMC. */
export interface RedfishSession {
  readonly call: RedfishCall;
  /** Ends the session: BMCs have few, and keep them for half an hour. Never rejects. */
  close(): Promise<void>;
}

const MAX_SAID = 300;
const MAX_REDIRECTS = 3;
const CLOSE_MS = 5000;

const root = z.object({ Links: z.object({ Sessions: link }) });

interface Login {
  readonly headers: Readonly<Record<string, string>>;
  /** Where the session is ended. */
  readonly session?: string | undefined;
}

/**
 * Logs in with the first call, by a session (DSP0266, section 13.3.4), which saves the BMC a password check for each
 * call; a BMC that has none, or none free, gets user and password with each.
 */
export function redfishSession(target: BmcTarget, trust: RedfishTrust, signal: AbortSignal): RedfishSession {
  const transport = redfishTransport(target, trust);
  const { user, password } = target;
  const basic: Login = {
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
  };
  let login: Login | undefined;

  const logIn = async (): Promise<Login> => {
    const known = root.safeParse(json(await transport.send({ method: 'GET', path: ROOT, headers: {} }, signal)));
    if (!known.success) return basic;
    const path = known.data.Links.Sessions['@odata.id'];
    const body = { UserName: user, Password: password };
    const { status, token, location } = await transport.send({ method: 'POST', path, headers: {}, body }, signal);
    // Another try with the same password would only bring the user closer to being locked out.
    if (status === 401) throw noEntry(target);
    if (status < 200 || status > 299 || token === undefined || !/^[\u0021-\u007E]{1,4096}$/.test(token)) return basic;
    return { headers: { 'x-auth-token': token }, session: location };
  };

  const ask = async (asked: RedfishRequest): Promise<RedfishResponse> => {
    login ??= await logIn();
    const send = ({ headers }: Login, path: string): Promise<RedfishResponse> =>
      transport.send({ ...asked, path, headers: { ...asked.headers, ...headers } }, signal);
    let answer = await send(login, asked.path);
    if (answer.status === 401 && login !== basic) {
      // The BMC has forgotten the session, and done nothing.
      login = basic;
      answer = await send(login, asked.path);
    }
    for (let hops = 0; isRedirect(answer) && asked.method === 'GET' && hops < MAX_REDIRECTS; hops += 1) {
      // HPE's iLO sends to the same path with a slash. A link to elsewhere has no location here.
      if (answer.location === undefined) break;
      answer = await send(login, answer.location);
    }
    return answer;
  };

  return {
    async call(method, path, change) {
      const headers: Record<string, string> = change?.etag === undefined ? {} : { 'if-match': change.etag };
      const answer = await ask({ method, path, headers, body: change?.body, isAction: method === 'POST' });
      return { body: read(target, method, path, answer), etag: answer.etag };
    },
    async close() {
      const { session, headers } = login ?? {};
      if (session !== undefined && headers !== undefined)
        await transport
          .send({ method: 'DELETE', path: session, headers }, AbortSignal.timeout(CLOSE_MS))
          .catch(() => undefined);
      transport.close();
    },
  };
}

const ROOT = '/redfish/v1/';

function isRedirect({ status }: RedfishResponse): boolean {
  return status >= 300 && status <= 399;
}

function noEntry(target: BmcTarget): BmcError {
  return new BmcError(
    BmcErrorCode.Login,
    `the BMC at ${target.name} does not let user ${JSON.stringify(target.user)} in: correct user or password, or its privilege, which must be administrator`,
  );
}

function read(target: BmcTarget, method: string, path: string, answer: RedfishResponse): unknown {
  const { status, text } = answer;
  if (status === 401 || status === 403) throw noEntry(target);
  if (isRedirect(answer))
    throw new BmcError(
      BmcErrorCode.Answer,
      `the BMC at ${target.name} answers ${method} ${path} with a redirect that is not followed (status ${status}): is it a BMC?`,
    );
  if (status < 200 || status > 299) {
    const said = text.replaceAll(target.password, '[redacted]').replaceAll(/[^\u0020-\u007E]+/g, ' ');
    throw new BmcError(
      BmcErrorCode.Refused,
      `the BMC at ${target.name} answers ${method} ${path} with status ${status}: ${said.slice(0, MAX_SAID)}`,
    );
  }
  if (text.trim() === '') return undefined;
  const body = json(answer);
  if (body === undefined)
    throw new BmcError(BmcErrorCode.Answer, `the BMC at ${target.name} answers ${method} ${path} with no JSON`);
  return body;
}

function json({ text }: RedfishResponse): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
