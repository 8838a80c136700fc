import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { adminV2, ApiError, apiV2, bindService, Code, create, createApiServer, ingotAdminV1 } from '@ingot/api';
import { runCli } from '../src/cli.ts';
import type { CliIo } from '../src/io.ts';
import { bmcDetails, machines, NOW_MS, switches } from './rack.ts';

export interface Answer {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real API server with the rack of `rack.ts`, and a shell in front of it. */
export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** What `ingot token create` asked for. */
  readonly tokenRequests: adminV2.TokenServiceCreateRequest[];
  /** Leaves the rack without machines and switches. */
  clear(): void;
  /** Gives the first machine a label as long as this. */
  swell(labelBytes: number): void;
  /** Runs `ingot` with the flags of this server. */
  run(...argv: string[]): Promise<Answer>;
}

export async function startApi(): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-cli-'));
  const caFile = join(folder, 'ca.pem');
  const keyFile = join(folder, 'key.pem');
  const tokenFile = join(folder, 'admin.token');
  const openssl =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -subj /CN=ingot -addext subjectAltName=IP:127.0.0.1';
  await promisify(execFile)('openssl', [...openssl.split(' '), '-keyout', keyFile, '-out', caFile]);
  await writeFile(tokenFile, 'admin-token\n');

  let machinesNow = machines();
  let switchesNow = switches();
  const tokenRequests: adminV2.TokenServiceCreateRequest[] = [];
  let wipeOrder = '';
  const server = createApiServer({
    services: [
      bindService(ingotAdminV1.WipeService, {
        order: ({ uuid }) => {
          if (!machinesNow.some((machine) => machine.uuid === uuid))
            throw new ApiError(Code.NotFound, `there is no machine ${uuid}`);
          wipeOrder = 'order-1';
          return { order: wipeOrder };
        },
        cancel: () => {
          const order = wipeOrder;
          wipeOrder = '';
          return { order };
        },
      }),
      bindService(adminV2.MachineService, {
        list: ({ query }) => ({
          machines: machinesNow.filter(
            (machine) =>
              matches(query?.uuid, machine.uuid) &&
              matches(query?.partition, machine.partition?.id) &&
              matches(query?.rack, machine.rack) &&
              matches(query?.size, machine.size?.id),
          ),
        }),
        get: ({ uuid }) => {
          const machine = machinesNow.find((one) => one.uuid === uuid);
          if (machine === undefined) throw new ApiError(Code.NotFound, `there is no machine "${uuid}"`);
          return { machine };
        },
        getBMC: ({ uuid }) => {
          const found = bmcDetails(uuid);
          if (found === undefined) throw new ApiError(Code.NotFound, `no BMC of ${uuid}`);
          return { bmcDetails: found };
        },
      }),
      bindService(adminV2.SwitchService, {
        get: ({ id }) => {
          const found = switchesNow.find((one) => one.id === id);
          if (found === undefined) throw new ApiError(Code.NotFound, `there is no switch "${id}"`);
          return { switch: found };
        },
        list: ({ query }) => ({
          switches: switchesNow.filter(
            (found) =>
              matches(query?.id, found.id) &&
              matches(query?.partition, found.partition) &&
              matches(query?.rack, found.rack),
          ),
        }),
        connectedMachines: () => ({
          switchesWithMachines: switchesNow.map(({ id, partition, rack, nics, machineConnections }) => ({
            id,
            partition,
            rack: rack ?? '',
            connections: machineConnections.flatMap(({ machineId, nic }) => {
              const machine = machinesNow.find(({ uuid }) => uuid === machineId);
              const port = nics.find(({ name }) => name === nic?.name);
              return machine === undefined || port === undefined ? [] : [{ machine, nic: port }];
            }),
          })),
        }),
      }),
      bindService(adminV2.TokenService, {
        create: (request) => {
          tokenRequests.push(request);
          return { secret: 'a-new-secret' };
        },
      }),
      bindService(apiV2.VersionService, { get: () => ({ version: { version: '1.2.3', gitSha1: 'abc' } }) }),
    ],
    tls: { cert: await readFile(caFile, 'utf8'), key: await readFile(keyFile, 'utf8') },
    listen: ['127.0.0.1:0'],
    authenticate: (bearer) => {
      if (bearer !== 'admin-token' && bearer !== 'weak-token')
        throw new ApiError(Code.Unauthenticated, 'this token has expired');
      return bearer;
    },
    authorize: ({ caller, access }) => {
      if (caller === 'weak-token')
        throw new ApiError(Code.PermissionDenied, `${access.path} takes the role ADMIN_VIEWER`);
    },
  });
  await server.start();
  const url = `https://${server.addresses[0] ?? ''}`;
  return {
    url,
    folder,
    caFile,
    tokenFile,
    tokenRequests,
    clear: () => {
      machinesNow = [];
      switchesNow = [];
    },
    swell: (labelBytes) => {
      const [machine] = machinesNow;
      const labels = { labels: { long: 'x'.repeat(labelBytes) } };
      if (machine !== undefined) machine.meta = create(apiV2.MetaSchema, { labels });
    },
    run: (...argv) => run(argv, { INGOT_API_URL: url, INGOT_API_CA_FILE: caFile, INGOT_API_TOKEN_FILE: tokenFile }),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a test may set of a shell. */
export interface ShellParts extends Partial<Omit<CliIo, 'stdout' | 'stderr' | 'env'>> {
  readonly env?: Readonly<Record<string, string>>;
  /** Sees everything that is written, as it is written. */
  readonly onOutput?: (text: string) => void;
}

/** Runs `ingot` in a shell with this environment, whose home is empty unless given. */
export async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { onOutput, ...parts }: Omit<ShellParts, 'env'> = {},
): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  const status = await runCli(argv, {
    home: '/nonexistent',
    labConfigFile: '/nonexistent/cli.yaml',
    now: () => NOW_MS,
    ...parts,
    stdout: (text) => {
      stdout += text;
      onOutput?.(text);
    },
    stderr: (text) => {
      stderr += text;
      onOutput?.(text);
    },
    env,
  });
  return { status, stdout, stderr };
}

function matches(wanted: string | undefined, value: string | undefined): boolean {
  return wanted === undefined || wanted === value;
}
