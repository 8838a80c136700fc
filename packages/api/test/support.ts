import { readFileSync } from 'node:fs';
import {
  ApiError,
  bindService,
  Code,
  createApiServer,
  infraV2,
  type ApiServer,
  type ApiServerOptions,
  type CallRecord,
  type ServiceHandlers,
  type TlsIdentity,
} from '../src/index.ts';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

export const ca: string = fixture('ca.pem');
export const otherCa: string = fixture('other-ca.pem');
const identity: TlsIdentity = { cert: fixture('server.pem'), key: fixture('server.key') };

export const uuid = 'b1a6f1c2-0f5b-4a51-9d0e-6f2f0a1b2c3d';

/** A server with the boot and the event service on a free port of loopback; the caller is the bearer token itself. */
export interface TestServer extends AsyncDisposable {
  readonly server: ApiServer;
  readonly url: string;
  readonly calls: CallRecord[];
}

export interface TestServerOptions {
  readonly boot?: ServiceHandlers<typeof infraV2.BootService, string>;
  readonly event?: ServiceHandlers<typeof infraV2.EventService, string>;
  readonly options?: Partial<ApiServerOptions<string>>;
}

export async function startServer(test: TestServerOptions = {}): Promise<TestServer> {
  const calls: CallRecord[] = [];
  const server = createApiServer<string>({
    services: [bindService(infraV2.BootService, test.boot ?? {}), bindService(infraV2.EventService, test.event ?? {})],
    tls: identity,
    listen: ['127.0.0.1:0'],
    authenticate: (bearer) => {
      if (bearer === undefined) throw new ApiError(Code.Unauthenticated, 'a token is needed');
      return bearer;
    },
    authorize: ({ caller, access }) => {
      if (caller !== 'good') throw new ApiError(Code.PermissionDenied, `${caller} may not call ${access.path}`);
    },
    onCall: (record) => calls.push(record),
    ...test.options,
  });
  await server.start();
  const address = server.addresses[0] ?? '';
  const url = address.startsWith('unix:') ? address : `https://${address}`;
  return { server, url, calls, [Symbol.asyncDispose]: () => server.stop() };
}

/** Resolves when `condition` holds, looking at every turn of the event loop; rejects after 20 s. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUp = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > giveUp) throw new Error('the condition never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The `ApiError` that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<ApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}
