import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createApiView, createBench, forwardToUnixSocket } from '@ingot/lab';
import type { Bench, BenchMachine, Firmware, Namespace } from '@ingot/lab';
import { systemClock, systemEntropy } from '@ingot/net';
import { buildMarkerInitrd, markerLine, parseMarker } from './marker-initrd.ts';
import type { Marker } from './marker-initrd.ts';
import { startLossyForwarder } from '../support/lossy-forwarder.ts';
import type { Impairment, LossyForwarder } from '../support/lossy-forwarder.ts';
import { image, root } from '../support/image.ts';

/** One boot, firmware to the guest's own words: ten times what it takes on two idle cores of software emulation. */
const bootTimeoutMs = 240_000;
const startTimeoutMs = 90_000;

const ingot = [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'packages/cli/src/main.ts')];
const env = { NODE_COMPILE_CACHE: join(root, '.cache/compile') };

/** A line of a boot server's log. */
export interface BootEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly event: string;
  readonly mac?: string;
  readonly [field: string]: unknown;
}

export interface BootServerUnderTest {
  readonly name: string;
  readonly events: readonly BootEvent[];
  /** SIGKILL; it stays dead until `start`. */
  kill(): Promise<void>;
  /** Has it read another configuration; `change` takes the place of the one it was started with. */
  reload(change: Readonly<Record<string, unknown>>): void;
  /** Starts it again, if it does not run, and waits until it listens. */
  start(): Promise<void>;
  /** The names of the events about this machine, each once, in the order of their first appearance. */
  story(mac: string): readonly string[];
}

export interface BootServerSpec {
  readonly name: string;
  readonly namespace: Namespace;
  readonly address: string;
  /** Laid over the plain configuration, section by section. */
  readonly change?: Readonly<Record<string, unknown>>;
}

/** Where a network card is plugged in: the management server's own link, or a leaf behind its relay. */
export type Place = 'management' | Leaf;

export interface Leaf {
  readonly namespace: Namespace;
  readonly number: number;
  /** Its way to the management server, where that is a bad one. */
  readonly cable: LossyForwarder | undefined;
}

export interface FirmwareRack extends AsyncDisposable {
  readonly bench: Bench;
  /** The namespace of the management server; 10.0.0.1/24 on its bridge br0. */
  readonly management: Namespace;
  /** Starts a boot server and waits until it listens. */
  startBootServer(spec: BootServerSpec): Promise<BootServerUnderTest>;
  /** A leaf with the network 10.0.<number>.0/24, whose ISC dhcrelay asks `servers`, perhaps over a bad cable. */
  createLeaf(number: number, servers: readonly string[], bad?: Impairment): Promise<Leaf>;
  createMachine(name: string, firmware: Firmware, places: readonly Place[]): Promise<MachineUnderTest>;
}

export interface MachineUnderTest {
  readonly machine: BenchMachine;
  /** Of its first network card. */
  readonly mac: string;
  /** Of all its network cards. */
  readonly macs: readonly string[];
  /** Switches it on and waits until the marker initrd runs in it. */
  boots(timeoutMs?: number): Promise<Marker>;
}

/** `prefix`: an IPv6 network, `2001:db8:1::/64`, of the management link; its router tells machines to ask for DHCPv6. */
export async function createFirmwareRack(name: string, prefix?: string): Promise<FirmwareRack> {
  const bench = await createBench(name, { clock: systemClock, entropy: systemEntropy });
  try {
    const management = await bench.createNamespace('mgmt');
    await management.ip('link add br0 type bridge');
    await management.ip('addr add 10.0.0.1/24 dev br0');
    await management.ip('link set br0 up');
    if (prefix !== undefined) await management.ip(`-6 addr add ${prefix.replace('/', '1/')} dev br0 nodad`);
    await advertiseRouter(bench, management, 'br0', prefix);
    const api = await startApi(bench, management);
    let cards = 0;
    const cables: LossyForwarder[] = [];
    const rack: FirmwareRack = {
      bench,
      management,
      startBootServer: (spec) => startBootServer(bench, api, spec),
      async createLeaf(number, servers, bad) {
        const leaf = await createLeaf(bench, management, number, servers, bad);
        if (leaf.cable !== undefined) cables.push(leaf.cable);
        return leaf;
      },
      async createMachine(machineName, firmware, places) {
        const nics = [];
        for (const place of places) {
          cards += 1;
          const number = cards;
          const tap = `tap${number}`;
          const namespace = place === 'management' ? management : place.namespace;
          await namespace.ip(`tuntap add ${tap} mode tap`);
          await namespace.ip(`link set ${tap} master ${place === 'management' ? 'br0' : 'Vlan4000'} up`);
          nics.push({ mac: `52:54:00:00:00:${number.toString(16).padStart(2, '0')}`, namespace: namespace.name, tap });
        }
        const machine = await bench.createMachine({ name: machineName, firmware, nics });
        return {
          machine,
          mac: nics[0]?.mac ?? '',
          macs: nics.map(({ mac }) => mac),
          async boots(timeoutMs = bootTimeoutMs) {
            const startedAt = performance.now();
            await machine.on();
            const marker = parseMarker(await machine.says(markerLine, timeoutMs));
            console.log(
              `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${name}  ${machineName} (${firmware})`,
            );
            return marker;
          },
        };
      },
      async [Symbol.asyncDispose]() {
        await bench[Symbol.asyncDispose]();
        for (const cable of cables) await cable[Symbol.asyncDispose]();
      },
    };
    return rack;
  } catch (error) {
    await bench[Symbol.asyncDispose]();
    throw error;
  }
}

interface ApiFiles {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
}

/** Every machine is told to boot the image's kernel with the marker initrd. */
async function startApi(bench: Bench, management: Namespace): Promise<ApiFiles> {
  const directory = join(bench.directory, 'api');
  const initrd = buildMarkerInitrd('initrd-amd64', '/bin/busybox');
  const socket = join(bench.directory, 'api.sock');
  const config = {
    dataDir: directory,
    listen: ['10.0.0.1:9443', `unix:${socket}`],
    tls: { names: ['10.0.0.1', 'localhost'] },
    metrics: '127.0.0.1:2114',
    partitions: [
      {
        id: 'lab',
        description: 'firmware',
        bootConfiguration: { kernelUrl: `file://${image.kernel}`, imageUrl: `file://${initrd}`, commandline: 'quiet' },
      },
    ],
  };
  const file = join(bench.directory, 'api-server.yaml');
  writeFileSync(file, JSON.stringify(config));
  const ready = readiness('api-server');
  await bench.start({
    name: 'api-server',
    namespace: management.name,
    argv: [...ingot, 'api-server', '--config', file],
    env,
    restart: false,
    onLine: ready.onLine,
  });
  await ready.reached;
  const api = {
    url: 'https://10.0.0.1:9443',
    caFile: join(directory, 'tls/ca.pem'),
    tokenFile: join(bench.directory, 'token'),
  };
  // The socket of the host's own side: the namespace's address cannot be reached from here.
  const forward = await forwardToUnixSocket(socket, 0);
  const view = createApiView({
    url: `https://127.0.0.1:${forward.port}`,
    caFile: api.caFile,
    tokenFile: join(directory, 'admin.token'),
  });
  try {
    await view.createToken('boot-server', api.tokenFile, { machines: true });
  } finally {
    view.close();
    await forward.close();
  }
  return api;
}

async function startBootServer(bench: Bench, api: ApiFiles, spec: BootServerSpec): Promise<BootServerUnderTest> {
  const { name, namespace, address, change = {} } = spec;
  const plain: Readonly<Record<string, unknown>> = {
    partition: 'lab',
    dataDir: join(bench.directory, name),
    advertiseAddress: address,
    dhcp: { listen: [address], subnets: [0, 1, 2].map((number) => subnet(number, '100', '199')) },
    http: { listen: `${address}:8080` },
    artifacts: { roots: [join(image.kernel, '..'), join(root, '.cache/marker')] },
    api,
    metrics: '127.0.0.1:0',
  };
  const file = join(bench.directory, `${name}.yaml`);
  const configure = (laidOver: Readonly<Record<string, unknown>>): void =>
    writeFileSync(file, JSON.stringify({ ...plain, ...laidOver }));
  configure(change);
  const events: BootEvent[] = [];
  let ready = readiness(name);
  const part = await bench.start({
    name,
    namespace: namespace.name,
    argv: [...ingot, 'boot-server', '--config', file],
    env,
    restart: false,
    onLine(line) {
      ready.onLine(line);
      const event = parseEvent(line);
      if (event !== undefined) events.push(event);
    },
  });
  await ready.reached;
  return {
    name,
    events,
    async kill() {
      if (part.pid === undefined) throw new Error(`${name} does not run`);
      process.kill(part.pid, 'SIGKILL');
      await part.ended();
    },
    reload(laidOver) {
      if (part.pid === undefined) throw new Error(`${name} does not run`);
      configure(laidOver);
      process.kill(part.pid, 'SIGHUP');
    },
    async start() {
      if (part.pid !== undefined) return;
      ready = readiness(name);
      await part.start();
      await ready.reached;
    },
    story: (mac) => [...new Set(events.filter((event) => event.mac === mac).map(({ event }) => event))],
  };
}

/** The subnet of leaf `number`, or of the management network for 0. */
export function subnet(number: number, first: string, last: string): Readonly<Record<string, unknown>> {
  const network = `10.0.${number}`;
  return {
    subnet: `${network}.0/24`,
    pool: `${network}.${first}-${network}.${last}`,
    // The leaf is the way to everything else; on the management network everything is on the link.
    routers: number === 0 ? [] : [`${network}.1`],
    leaseSeconds: 600,
  };
}

function parseEvent(line: string): BootEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: BootEvent = JSON.parse(line);
    return typeof entry.event === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Waits for the line by which a daemon says that it serves; rejects with what it said instead. */
function readiness(name: string): { readonly onLine: (line: string) => void; readonly reached: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const said: string[] = [];
  const timer = setTimeout(() => reject(new Error(`${name} did not get ready:\n${said.join('\n')}`)), startTimeoutMs);
  return {
    onLine(line) {
      said.push(line);
      if (!line.includes('"event":"daemon.ready"')) return;
      clearTimeout(timer);
      resolve(undefined);
    },
    reached: promise,
  };
}

async function createLeaf(
  bench: Bench,
  management: Namespace,
  number: number,
  servers: readonly string[],
  bad: Impairment | undefined,
): Promise<Leaf> {
  const name = `leaf${number}`;
  const namespace = await bench.createNamespace(name);
  if (bad === undefined) await connect(management, name, namespace, 'eth0');
  const cable =
    bad === undefined
      ? undefined
      : await startLossyForwarder(
          { namespace: management.name, interface: name },
          { namespace: namespace.name, interface: 'eth0' },
          bad,
        );
  await management.ip(`link set ${name} master br0`);
  await management.ip(`route add 10.0.${number}.0/24 via 10.0.0.${10 + number}`);
  await namespace.ip(`addr add 10.0.0.${10 + number}/24 dev eth0`);
  await namespace.ip('link add Vlan4000 type bridge');
  await namespace.ip(`addr add 10.0.${number}.1/24 dev Vlan4000`);
  await namespace.ip('link set Vlan4000 up');
  await namespace.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await advertiseRouter(bench, namespace, 'Vlan4000');
  await bench.start({
    name: `${name}-dhcrelay`,
    namespace: namespace.name,
    argv: [
      'dhcrelay',
      '-4',
      '-d',
      '--no-pid',
      '-a',
      '-m',
      'append',
      '-c',
      '10',
      '-id',
      'Vlan4000',
      '-iu',
      'eth0',
      ...servers,
    ],
    restart: true,
  });
  return { namespace, number, cable };
}

/** As BGP unnumbered leaves do; a stock iPXE otherwise waits 15 s for such an advertisement. */
async function advertiseRouter(bench: Bench, namespace: Namespace, device: string, prefix?: string): Promise<void> {
  const stem = join(bench.directory, `${namespace.name}-radvd`);
  const managed = `AdvManagedFlag on; AdvOtherConfigFlag on; prefix ${prefix} { AdvAutonomous off; };`;
  writeFileSync(
    `${stem}.conf`,
    `interface ${device} {\n  AdvSendAdvert on;\n  MinRtrAdvInterval 3;\n  MaxRtrAdvInterval 4;\n  AdvDefaultLifetime 0;\n${prefix === undefined ? '' : managed}\n};\n`,
  );
  await namespace.exec('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
  await bench.start({
    name: `${namespace.name}-radvd`,
    namespace: namespace.name,
    argv: ['radvd', '-n', '-m', 'stderr', '-C', `${stem}.conf`, '-p', `${stem}.pid`],
    restart: true,
  });
}
