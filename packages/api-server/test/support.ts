import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminV2,
  ApiError,
  apiV2,
  create,
  createChannel,
  createClient,
  durationFromMs,
  type CallRecord,
  type Channel,
  type MessageInitShape,
} from '@ingot/api';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock, systemClock, systemEntropy } from '@ingot/net';
import type { DatabaseLocation } from '../src/store/location.ts';
import type { ControlPlaneOptions } from '../src/control-plane.ts';
import { startControlPlane, type ControlPlane, type PartitionConfig } from '../src/index.ts';

const lab: PartitionConfig = {
  id: 'lab',
  description: 'two leaves',
  bootConfiguration: { kernelUrl: 'http://10.0.0.1/vmlinuz', imageUrl: 'http://10.0.0.1/initrd', commandline: 'quiet' },
  dnsServers: ['10.0.0.1'],
  ntpServers: ['ntp.lab'],
};

/** Machines and people of the tests. */
export const machineA = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const machineB = 'bbbbbbbb-0000-4000-8000-00000000000b';

/** A control plane on loopback with its data in a directory of its own. */
export interface Rig extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly url: string;
  readonly ca: string;
  readonly dataDir: string;
  readonly log: MemoryLogger;
  readonly calls: CallRecord[];
  readonly adminToken: string;
  /** A channel with the admin's token. */
  readonly admin: Channel;
  /** A channel with any token, or none. */
  channel(token?: string): Channel;
  /** Mints a token with the given rights. */
  mint(rights: MessageInitShape<typeof apiV2.TokenServiceCreateRequestSchema>): Promise<string>;
  /** Stops the server, keeps the data, and starts another one on it. */
  restart(): Promise<void>;
}

let rigDatabase: (() => Promise<DatabaseLocation>) | undefined;

/** From now on the rigs of this file keep their data where `location` says, each in a place of its own. */
export function keepRigsIn(location: () => Promise<DatabaseLocation>): void {
  rigDatabase = location;
}

export async function startRig(
  options: Pick<Partial<ControlPlaneOptions>, 'clock' | 'database' | 'callsPerMinute' | 'providerTenant'> & {
    readonly superUserPassword?: string;
  } = {},
): Promise<Rig> {
  const database = options.database ?? (await rigDatabase?.());
  const dataDir = await mkdtemp(join(tmpdir(), 'ingot-api-'));
  const log = new MemoryLogger();
  const calls: CallRecord[] = [];
  const channels: Channel[] = [];
  const start = (): Promise<ControlPlane> =>
    startControlPlane({
      dataDir,
      ...(database === undefined ? {} : { database }),
      listen: ['127.0.0.1:0'],
      names: [],
      partitions: [lab],
      ...(options.callsPerMinute === undefined ? {} : { callsPerMinute: options.callsPerMinute }),
      providerTenant: options.providerTenant,
      superUserPassword: () => options.superUserPassword,
      clock: options.clock ?? systemClock,
      databaseClock: systemClock,
      entropy: systemEntropy,
      log,
      onCall: (record) => calls.push(record),
    });
  let plane = await start();
  const ca = await readFile(plane.caFile, 'utf8');
  const adminToken = (await readFile(plane.adminTokenFile, 'utf8')).trim();
  const channel = (token?: string): Channel => {
    const made = createChannel({ url: rig.url, ca, ...(token === undefined ? {} : { token }) });
    channels.push(made);
    return made;
  };
  let admin: Channel | undefined;
  const rig: Rig = {
    get plane() {
      return plane;
    },
    get url() {
      return `https://${plane.server.addresses[0] ?? ''}`;
    },
    get admin() {
      admin ??= channel(adminToken);
      return admin;
    },
    ca,
    adminToken,
    dataDir,
    log,
    calls,
    channel,
    async mint(rights) {
      const tokens = createClient(adminV2.TokenService, rig.admin);
      const request = create(apiV2.TokenServiceCreateRequestSchema, rights);
      request.expires ??= durationFromMs(3_600_000);
      return (await tokens.create({ tokenCreateRequest: request })).secret;
    },
    async restart() {
      await plane.stop();
      admin = undefined;
      plane = await start();
    },
    async [Symbol.asyncDispose]() {
      for (const made of channels) made.close();
      await plane.stop();
      await rm(dataDir, { recursive: true });
    },
  };
  return rig;
}

// Certificates are checked against the real time: start a MockClock at Date.now().
export { MockClock };

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

/** Resolves when `condition` holds, looking at every turn of the event loop; rejects after 20 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > giveUp) throw new Error('the condition never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

type MachineNicInit = MessageInitShape<typeof apiV2.MachineNicSchema>;

/** A leaf with ports Ethernet0, 4, 8, 12 whose identifiers are Eth1/1 to Eth1/4. */
export function leaf(id: string, change?: (leaf: apiV2.Switch) => void): apiV2.Switch {
  const made = create(apiV2.SwitchSchema, {
    id,
    partition: 'lab',
    rack: 'rack01',
    replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
    managementIp: '10.0.0.11',
    nics: Array.from({ length: 4 }, (_port, index) => port(`Ethernet${index * 4}`, `Eth1/${index + 1}`)),
    os: { vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC, version: 'SONiC.202311', metalCoreVersion: 'v1' },
  });
  change?.(made);
  return made;
}

/** A port that is up. */
export function port(name: string, identifier: string): apiV2.SwitchNic {
  return create(apiV2.SwitchNicSchema, { name, identifier, state: { actual: apiV2.SwitchPortStatus.UP } });
}

/** A machine's card that sees a port of a leaf. */
export function cableTo(name: string, hostname: string, identifier: string): MachineNicInit {
  return {
    mac: '52:54:00:00:00:01',
    name,
    neighbors: [{ mac: '52:54:00:aa:00:01', name: identifier, hostname, identifier }],
  };
}

export function hardware(...nics: MachineNicInit[]): MessageInitShape<typeof apiV2.MachineHardwareSchema> {
  return { memory: 4n * 1024n ** 3n, cpus: [{ vendor: 'x', model: 'y', cores: 2, threads: 4 }], nics };
}
