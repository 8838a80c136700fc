import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, apiV2, bindService, Code, createApiServer, infraV2, timestampFromMs } from '@ingot/api';
import { execa } from 'execa';

export interface TestApi extends AsyncDisposable {
  /** https://127.0.0.1:port; the port stays the same over restarts. */
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** The token that is valid now. */
  setToken(token: string): void;
  readonly switches: Map<string, apiV2.Switch>;
  readonly heartbeats: infraV2.SwitchServiceHeartbeatRequest[];
  readonly pings: infraV2.ComponentServicePingRequest[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** A real API server whose switch service keeps everything in memory and is as strict as the contract. */
export async function startApi(): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-api-'));
  const certFile = join(folder, 'ca.pem');
  const keyFile = join(folder, 'key.pem');
  const tokenFile = join(folder, 'token');
  const openssl =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -subj /CN=ingot -addext subjectAltName=IP:127.0.0.1';
  await execa('openssl', [...openssl.split(' '), '-keyout', keyFile, '-out', certFile]);
  const tls = { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  let valid = 'first-token';
  await writeFile(tokenFile, valid);

  const switches = new Map<string, apiV2.Switch>();
  const heartbeats: infraV2.SwitchServiceHeartbeatRequest[] = [];
  const pings: infraV2.ComponentServicePingRequest[] = [];
  const known = (id: string): apiV2.Switch => {
    const found = switches.get(id);
    if (found === undefined) throw new ApiError(Code.NotFound, `no switch ${id}`);
    return found;
  };
  const services = [
    bindService(infraV2.SwitchService, {
      register: (request) => {
        const given = request.switch;
        if (given === undefined) throw new ApiError(Code.InvalidArgument, 'no switch');
        if (given.nics.some((nic) => nic.state === undefined))
          throw new ApiError(Code.InvalidArgument, 'a nic without state');
        // What was wanted of a nic is kept when the switch registers again.
        for (const old of switches.get(given.id)?.nics ?? []) {
          const nic = given.nics.find(({ identifier }) => identifier === old.identifier);
          if (nic === undefined) continue;
          if (old.vrf !== undefined) nic.vrf = old.vrf;
          if (nic.state !== undefined && old.state?.desired !== undefined) nic.state.desired = old.state.desired;
        }
        switches.set(given.id, given);
        return { switch: given };
      },
      get: ({ id }) => ({ switch: known(id) }),
      heartbeat: (request) => {
        const missing = known(request.id).nics.filter((nic) => request.portStates[nic.name] === undefined);
        if (Object.keys(request.portStates).length > 0 && missing.length > 0) {
          throw new ApiError(Code.Internal, `port states lack ${missing.map((nic) => nic.name).join(', ')}`);
        }
        heartbeats.push(request);
        return { id: request.id, lastSync: { time: timestampFromMs(Date.now()) } };
      },
    }),
    bindService(infraV2.ComponentService, {
      ping: (request) => {
        pings.push(request);
        return {};
      },
    }),
  ];

  let listen = '127.0.0.1:0';
  const create = () =>
    createApiServer({
      services,
      tls,
      listen: [listen],
      authenticate: (bearer) => {
        if (bearer !== valid) throw new ApiError(Code.Unauthenticated, 'this token is not valid');
        return bearer;
      },
      authorize: () => {},
    });
  let server = create();
  await server.start();
  listen = server.addresses[0] ?? listen;
  return {
    url: `https://${listen}`,
    caFile: certFile,
    tokenFile,
    setToken: (token) => {
      valid = token;
    },
    switches,
    heartbeats,
    pings,
    stop: () => server.stop(),
    start: async () => {
      server = create();
      await server.start();
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
