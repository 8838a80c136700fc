import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { run } from './command-line.ts';
import type { PortIdentity } from './identity.ts';
import { connect, createNamespace } from './namespace.ts';
import type { Namespace } from './namespace.ts';
import type { PartSpec } from './part.ts';

/** Where a leaf stands in the rack; `number` counts from 1 and shows in its addresses. */
export interface LeafSetting {
  readonly name: string;
  readonly number: number;
  readonly namespaceName: string;
  readonly management: Namespace;
  readonly managementAddress: string;
  readonly ports: readonly PortIdentity[];
  readonly directory: string;
  /** The start of a command line that runs a part of Ingot, such as ['node', 'main.ts']. */
  readonly ingot: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly partition: string;
  readonly rack: string;
  readonly api: { readonly url: string; readonly caFile: string; readonly tokenFile: string };
}

/** A SONiC leaf as far as the rack needs one: a namespace with its ports, its databases, LLDP, our relay and our agent. */
export interface Leaf {
  readonly name: string;
  readonly namespace: Namespace;
  /** In the order in which they are to be started. */
  readonly parts: readonly PartSpec[];
}

/** The VLAN in which unprovisioned machines boot. */
const pxeVlan = 'Vlan4000';

function leafUplink(number: number): string {
  return `10.0.0.${10 + number}`;
}

export function leafGateway(number: number): string {
  return `10.0.${number}.1`;
}

/** The way to the machines of a leaf, for `ip route add`. */
export function leafRoute(number: number): string {
  return `10.0.${number}.0/24 via ${leafUplink(number)}`;
}

export async function createLeaf(setting: LeafSetting): Promise<Leaf> {
  const { name, number, directory } = setting;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const namespace = await createNamespace(setting.namespaceName);
  const uplink = name;
  await connect(setting.management, uplink, namespace, 'eth0');
  await setting.management.ip(`link set ${uplink} master br0`);
  await setting.management.ip(`route add ${leafRoute(number)}`);
  // One batch for all ports: a fork for each would take seconds.
  const commands = [
    `addr add ${leafUplink(number)}/24 dev eth0`,
    `link add ${pxeVlan} type bridge`,
    `link set ${pxeVlan} address 02:00:00:00:${number.toString(16).padStart(2, '0')}:01`,
    `addr add ${leafGateway(number)}/24 dev ${pxeVlan}`,
    `link set ${pxeVlan} up`,
    ...setting.ports.flatMap((port) => [
      `tuntap add ${port.name} mode tap`,
      `link set ${port.name} master ${pxeVlan} up`,
    ]),
  ];
  await run('ip', ['-n', namespace.name, '-batch', '-'], `${commands.join('\n')}\n`);
  await namespace.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  const files = writeConfiguration(setting);
  return { name, namespace, parts: partsOf(setting, namespace, files) };
}

interface LeafFiles {
  readonly redisSocket: string;
  readonly lldpdSocket: string;
  readonly lldpdConfig: string;
  readonly radvdConfig: string;
  readonly relayConfig: string;
  readonly agentConfig: string;
}

function writeConfiguration(setting: LeafSetting): LeafFiles {
  const path = (file: string): string => join(setting.directory, file);
  const files: LeafFiles = {
    redisSocket: path('redis.sock'),
    lldpdSocket: path('lldpd.sock'),
    lldpdConfig: path('lldpd.conf'),
    radvdConfig: path('radvd.conf'),
    relayConfig: path('switch-relay.yaml'),
    agentConfig: path('switch-agent.yaml'),
  };
  writeFileSync(path('database_config.json'), JSON.stringify(databaseConfig(files.redisSocket), undefined, 2));
  writeFileSync(
    path('sonic_version.yml'),
    stringify({ build_version: '202411.lab', debian_version: '12', asic_type: 'vs' }),
  );
  // What SONiC's lldpmgrd sets for each port; the interval is short so that a booting machine need not wait for it.
  writeFileSync(
    files.lldpdConfig,
    [
      `configure system hostname ${setting.name}`,
      'configure lldp tx-interval 2',
      ...setting.ports.map((port) => `configure ports ${port.name} lldp portidsubtype local ${port.alias}`),
      '',
    ].join('\n'),
  );
  // Nothing but the advertisement itself: a stock iPXE otherwise waits 15 s for one.
  writeFileSync(
    files.radvdConfig,
    `interface ${pxeVlan} {\n  AdvSendAdvert on;\n  MinRtrAdvInterval 3;\n  MaxRtrAdvInterval 4;\n  AdvDefaultLifetime 0;\n};\n`,
  );
  // What to relay stands in CONFIG_DB.
  writeFileSync(
    files.relayConfig,
    stringify({ redis: { databaseConfig: path('database_config.json') }, refreshSeconds: 1 }),
  );
  writeFileSync(
    files.agentConfig,
    stringify({
      partition: setting.partition,
      rack: setting.rack,
      hostname: setting.name,
      managementIp: leafUplink(setting.number),
      redis: { databaseConfig: path('database_config.json') },
      sonicVersionFile: path('sonic_version.yml'),
      statusSocket: path('status.sock'),
      heartbeatSeconds: 2,
      api: setting.api,
      metrics: '127.0.0.1:2112',
    }),
  );
  return files;
}

/** SONiC's /var/run/redis/sonic-db/database_config.json, with the databases that a switch agent looks at. */
function databaseConfig(socket: string): unknown {
  const database = (id: number, separator: string): unknown => ({ id, separator, instance: 'redis' });
  return {
    INSTANCES: {
      redis: { hostname: '127.0.0.1', port: 6379, unix_socket_path: socket, persistence_for_warm_boot: 'yes' },
    },
    DATABASES: {
      APPL_DB: database(0, ':'),
      ASIC_DB: database(1, ':'),
      COUNTERS_DB: database(2, ':'),
      CONFIG_DB: database(4, '|'),
      STATE_DB: database(6, '|'),
    },
    VERSION: '1.0',
  };
}

function partsOf(setting: LeafSetting, namespace: Namespace, files: LeafFiles): readonly PartSpec[] {
  const part = (name: string, argv: readonly string[], extra: Partial<PartSpec> = {}): PartSpec => ({
    name: `${setting.name}-${name}`,
    namespace: namespace.name,
    restart: true,
    argv,
    ...extra,
  });
  return [
    part(
      'redis',
      [
        'redis-server',
        '--bind',
        '127.0.0.1',
        '--port',
        '6379',
        '--save',
        '',
        '--databases',
        '16',
        '--dir',
        setting.directory,
        '--unixsocket',
        files.redisSocket,
      ],
      { afterStart: () => fillDatabases(setting, files.redisSocket) },
    ),
    part('lldpd', [
      'lldpd',
      '-d',
      '-u',
      files.lldpdSocket,
      '-O',
      files.lldpdConfig,
      '-I',
      'Ethernet*',
      '-C',
      'Ethernet0',
      '-S',
      'SONiC (Ingot lab)',
    ]),
    part('radvd', ['radvd', '-n', '-m', 'stderr', '-C', files.radvdConfig, '-p', join(setting.directory, 'radvd.pid')]),
    part('relay', [...setting.ingot, 'switch-relay', '--config', files.relayConfig], { env: setting.env }),
    part('switch-agent', [...setting.ingot, 'switch-agent', '--config', files.agentConfig], { env: setting.env }),
  ];
}

/** CONFIG_DB as a provisioned leaf has it, then the mark by which orchagent tells that its ports are there. */
async function fillDatabases(setting: LeafSetting, socket: string): Promise<void> {
  const row = (key: string, fields: Readonly<Record<string, string>>): string =>
    `HSET "${key}" ${Object.entries(fields)
      .map(([field, value]) => `"${field}" "${value}"`)
      .join(' ')}`;
  const config = [
    row('DEVICE_METADATA|localhost', {
      hostname: setting.name,
      hwsku: 'Ingot-Lab',
      platform: 'x86_64-kvm_x86_64-r0',
      type: 'LeafRouter',
    }),
    row('VLAN|Vlan4000', { vlanid: '4000', 'dhcp_servers@': setting.managementAddress }),
    row('VLAN_INTERFACE|Vlan4000', { NULL: 'NULL' }),
    row(`VLAN_INTERFACE|Vlan4000|${leafGateway(setting.number)}/24`, { NULL: 'NULL' }),
    ...setting.ports.flatMap((port, index) => [
      row(`PORT|${port.name}`, {
        admin_status: 'up',
        alias: port.alias,
        index: String(index + 1),
        lanes: Array.from({ length: 4 }, (_, lane) => index * 4 + lane + 1).join(','),
        mtu: '9000',
        speed: '100000',
      }),
      row(`VLAN_MEMBER|Vlan4000|${port.name}`, { tagging_mode: 'untagged' }),
    ]),
  ];
  await waitForRedis(socket);
  await run('redis-cli', ['-s', socket, '-n', '4'], `${config.join('\n')}\n`);
  await run('redis-cli', ['-s', socket, '-n', '0'], 'HSET "PORT_TABLE:PortInitDone" lanes 0\n');
}

async function waitForRedis(socket: string): Promise<void> {
  // redis-cli retries the connection itself with -r; each try is answered or refused at once.
  for (let attempt = 0; ; attempt += 1) {
    try {
      await run('redis-cli', ['-s', socket, 'ping']);
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
