import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, type Channel, createChannel, createClient, infraV2, timestampFromMs } from '@ingot/api';
import { type ControlPlane, startControlPlane } from '@ingot/api-server';
import { MemoryLogger } from '@ingot/daemon';
import { systemClock, systemEntropy } from '@ingot/net';
import { type Answer, run, type ShellParts } from './api-kit.ts';

/** A real API server on a port of its own, and a shell in front of it. */
export interface Plane extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly plane: ControlPlane;
  /** As an administrator, for what agents and machines do. */
  readonly channel: Channel;
  /** Runs `ingot` as the administrator. */
  ingot(...argv: readonly string[]): Promise<Answer>;
  /** Runs it with other parts of a shell. */
  ingotIn(parts: ShellParts, ...argv: readonly string[]): Promise<Answer>;
  /** Writes a file and answers its path. */
  file(text: string, name?: string): Promise<string>;
}

/** For hooks that start a server, on hosts that have other things to do. */
export const PATIENCE_MS = 60_000;

export async function startPlane(): Promise<Plane> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-plane-'));
  const plane = await startControlPlane({
    dataDir: join(folder, 'data'),
    listen: ['127.0.0.1:0'],
    names: [],
    partitions: [],
    clock: systemClock,
    entropy: systemEntropy,
    log: new MemoryLogger(),
  });
  const url = `https://${plane.server.addresses[0] ?? ''}`;
  const channel = createChannel({ url, ca: await readFile(plane.caFile, 'utf8'), tokenFile: plane.adminTokenFile });
  const env = { INGOT_API_URL: url, INGOT_API_CA_FILE: plane.caFile, INGOT_API_TOKEN_FILE: plane.adminTokenFile };
  return {
    url,
    folder,
    plane,
    channel,
    ingot: (...argv) => run(argv, env),
    ingotIn: ({ env: more, ...parts }, ...argv) => run(argv, { ...env, ...more }, parts),
    async file(text, name = 'documents.yaml') {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    },
    async [Symbol.asyncDispose]() {
      channel.close();
      await plane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A hall with all that an allocation takes, but for machines; a project gets its UUID from the server. */
export const HALL = `
kind: network
id: super
type: NETWORK_TYPE_SUPER
partition: hall
prefixes: [10.0.0.0/16]
defaultChildPrefixLength: { ipv4: 24 }
---
kind: partition
id: hall
description: the first hall
dnsServers: [{ ip: 10.0.0.1 }]
---
kind: size
id: c1
constraints:
  - { type: SIZE_CONSTRAINT_TYPE_CORES, min: 1, max: 64 }
  - { type: SIZE_CONSTRAINT_TYPE_MEMORY, min: 1, max: 1099511627776 }
  - { type: SIZE_CONSTRAINT_TYPE_STORAGE, min: 1, max: 1099511627776 }
---
kind: image
id: debian-12.0.20260101
url: http://images/debian.tar
features: [IMAGE_FEATURE_MACHINE]
classification: IMAGE_CLASSIFICATION_SUPPORTED
---
kind: filesystem-layout
id: tmp
filesystems: [{ device: tmpfs, format: FORMAT_TMPFS, path: /tmp }]
constraints: { sizes: [c1], images: { debian: '*' } }
---
kind: tenant
login: acme
name: acme
---
kind: project
name: web
tenant: acme
`;

/** Applies `HALL` and gives the project a network; answers the project's UUID and the network's ID. */
export async function furnish(plane: Plane): Promise<{ readonly project: string; readonly network: string }> {
  const applied = await plane.ingot('apply', '-f', await plane.file(HALL));
  const project = /^project (\S+) created$/m.exec(applied.stdout)?.[1] ?? applied.stderr;
  const made = await plane.ingot('network', 'allocate', '--project', project, '--parent-network', 'super', '--name=n1');
  return { project, network: /^network (\S+) created/.exec(made.stdout)?.[1] ?? made.stderr };
}

/** A machine on the same port, 1 or 2, of two leaves, as the leaves and it register. */
export async function registerMachine({ channel }: Plane, uuid: string, port = 1): Promise<void> {
  const nics = [1, 2].map((index) => ({
    name: `Ethernet${index * 4}`,
    identifier: `Eth1/${index}`,
    state: { actual: apiV2.SwitchPortStatus.UP },
  }));
  const identifier = `Eth1/${port}`;
  for (const [index, id] of ['leaf01', 'leaf02'].entries())
    await createClient(infraV2.SwitchService, channel).register({
      switch: {
        id,
        partition: 'hall',
        rack: 'rack-1',
        replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
        managementIp: `10.9.0.${11 + index}`,
        os: { vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC, version: '202411', metalCoreVersion: 'ingot 0.1.0' },
        nics,
      },
    });
  const neighbors = (hostname: string) => [{ mac: '02:00:00:00:01:00', name: identifier, identifier, hostname }];
  await createClient(infraV2.BootService, channel).register({
    uuid,
    partition: 'hall',
    metalHammerVersion: 'ingot 0.1.0',
    bios: { vendor: 'SeaBIOS', version: '1', date: '2014' },
    bmc: { address: '10.0.0.101:623', mac: '52:54:00:00:02:01', user: 'metal', password: 'very-secret' },
    hardware: {
      memory: 1024n ** 3n,
      cpus: [{ vendor: 'AMD', model: 'EPYC', cores: 4, threads: 8 }],
      disks: [{ name: '/dev/sda', size: 1000n }],
      nics: [
        { mac: '52:54:00:00:01:01', name: 'eth0', neighbors: neighbors('leaf01') },
        { mac: '52:54:00:00:01:02', name: 'eth1', neighbors: neighbors('leaf02') },
      ],
    },
  });
}

export async function sendEvent(
  { channel }: Plane,
  uuid: string,
  event: apiV2.MachineProvisioningEventType,
  message = '',
): Promise<void> {
  const events = { [uuid]: { time: timestampFromMs(Date.now()), event, message } };
  await createClient(infraV2.EventService, channel).send({ events });
}

/** Lets a machine wait to be given to somebody, until the signal is aborted. Resolves when it is known to wait. */
export async function waitForAllocation(plane: Plane, uuid: string, signal: AbortSignal): Promise<void> {
  await sendEvent(plane, uuid, apiV2.MachineProvisioningEventType.WAITING, 'waiting for allocation');
  const stream = createClient(infraV2.BootService, plane.channel).wait({ uuid }, { signal });
  void (async () => {
    try {
      for await (const answer of stream) void answer;
    } catch {
      // Ended by the test.
    }
  })();
  for (;;) {
    const { stdout } = await plane.ingot('machine', 'ls', '--waiting', '--no-headers');
    if (stdout.includes(uuid)) return;
    signal.throwIfAborted();
    await systemClock.sleep(50, signal);
  }
}
