import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { startIn, type Running } from '../support/running.ts';

const MAIN = fileURLToPath(new URL('../../packages/switch-agent/src/main.ts', import.meta.url));

/** What ingot-switch-relay.service leaves of root's rights. */
const CAPABILITIES = '-all,+net_bind_service,+net_raw';
const RIGHTS = ['setpriv', `--inh-caps=${CAPABILITIES}`, `--bounding-set=${CAPABILITIES}`, '--no-new-privs'];

export type Side = 'kea' | 'dnsmasq' | 'leaf' | 'first' | 'second';
const SIDES: readonly Side[] = ['kea', 'dnsmasq', 'leaf', 'first', 'second'];

/** Addresses of the servers' hosts. */
export const SERVERS = { kea: '10.0.0.1', dnsmasq: '10.0.3.1' } as const;

/**
 * A leaf with two VLANs, each a bridge with one port: Vlan4000 (10.0.1.1/24, Ethernet0), behind which is `first`, and
 * Vlan4001 (10.0.2.1/24, Ethernet4) with `second`; Loopback0 (10.255.0.1); and two hosts for DHCP servers. Network
 * namespaces of their own names, gone with all their processes on disposal.
 */
export interface RelayNetwork extends AsyncDisposable {
  readonly folder: string;
  file(name: string, text: string): string;
  start(side: Side, command: readonly string[], env?: Readonly<Record<string, string>>): Running;
  /** Runs to the end, or for 90 s; gives all that it printed. */
  run(side: Side, command: readonly string[]): Promise<string>;
  /** Starts the real relay with the rights of its unit, and waits until it serves. */
  relay(config: Readonly<Record<string, unknown>>): Promise<Running>;
  kea(): Promise<Running>;
  dnsmasq(...more: readonly string[]): Promise<Running>;
}

export async function createRelayNetwork(): Promise<RelayNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-relay-'));
  const prefix = `irn-${process.pid}-${Math.random().toString(36).slice(2, 6)}`;
  const name = (side: Side): string => `${prefix}-${side}`;
  const running: Running[] = [];
  const dispose = async (): Promise<void> => {
    for (const one of running.toReversed()) await one.kill('SIGKILL');
    for (const side of SIDES) await execa('ip', ['netns', 'del', name(side)], { reject: false });
    rmSync(folder, { recursive: true, force: true });
  };
  const batch = (side: Side, commands: readonly string[]): Promise<unknown> =>
    execa('ip', ['-n', name(side), '-batch', '-'], { input: `${commands.join('\n')}\n` });
  try {
    for (const side of SIDES) {
      await execa('ip', ['netns', 'add', name(side)]);
      await batch(side, ['link set lo up']);
    }
    const veth = (port: string, other: Side): string[] => [
      `link add ${port} type veth peer name eth0 netns ${name(other)}`,
      `link set ${port} up`,
    ];
    const vlan = (device: string, address: string, port: string): string[] => [
      `link add ${device} type bridge`,
      `link set ${port} master ${device}`,
      `addr add ${address} dev ${device}`,
      `link set ${device} up`,
    ];
    await batch('leaf', [
      ...veth('eth0', 'kea'),
      ...veth('eth1', 'dnsmasq'),
      ...veth('Ethernet0', 'first'),
      ...veth('Ethernet4', 'second'),
      'addr add 10.0.0.11/24 dev eth0',
      'addr add 10.0.3.11/24 dev eth1',
      ...vlan('Vlan4000', '10.0.1.1/24', 'Ethernet0'),
      ...vlan('Vlan4001', '10.0.2.1/24', 'Ethernet4'),
      'link add Loopback0 type bridge',
      'addr add 10.255.0.1/32 dev Loopback0',
      'link set Loopback0 up',
    ]);
    for (const side of ['kea', 'dnsmasq'] as const) {
      const router = side === 'kea' ? '10.0.0.11' : '10.0.3.11';
      await batch(side, [
        'link set eth0 up',
        `addr add ${SERVERS[side]}/24 dev eth0`,
        `route add default via ${router}`,
      ]);
    }
    for (const side of ['first', 'second'] as const) await batch(side, ['link set eth0 up']);
    await execa('ip', ['netns', 'exec', name('leaf'), 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  } catch (error) {
    await dispose();
    throw error;
  }

  const file = (fileName: string, text: string): string => {
    const path = join(folder, fileName);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  };
  const start: RelayNetwork['start'] = (side, command, env) => {
    const one = startIn(name(side), command, env);
    running.push(one);
    return one;
  };
  return {
    folder,
    file,
    start,
    run: async (side, command) => {
      const { all } = await execa('ip', ['netns', 'exec', name(side), ...command], {
        reject: false,
        all: true,
        timeout: 90_000,
        cwd: folder,
      });
      return all;
    },
    relay: async (config) => {
      const path = file('relay.yaml', JSON.stringify({ hostname: 'leaf1', refreshSeconds: 1, ...config }));
      const relay = start('leaf', [...RIGHTS, process.execPath, MAIN, 'relay', '--config', path]);
      await relay.prints(/"event":"daemon.ready"/);
      return relay;
    },
    kea: async () => {
      const subnet = (number: number): unknown => ({
        subnet: `10.0.${number}.0/24`,
        pools: [{ pool: `10.0.${number}.100 - 10.0.${number}.150` }],
        'option-data': [{ name: 'routers', data: `10.0.${number}.1` }],
      });
      const config = {
        Dhcp4: {
          'interfaces-config': { interfaces: ['eth0'], 'dhcp-socket-type': 'udp' },
          'lease-database': { type: 'memfile', name: join(folder, 'kea.csv') },
          'valid-lifetime': 600,
          subnet4: [subnet(1), subnet(2)],
          loggers: [{ name: 'kea-dhcp4', severity: 'INFO', output_options: [{ output: 'stdout' }] }],
        },
      };
      const path = file('kea.json', JSON.stringify(config));
      const env = { KEA_PIDFILE_DIR: folder, KEA_LOCKFILE_DIR: 'none' };
      const kea = start('kea', ['kea-dhcp4', '-c', path], env);
      await kea.prints(/DHCP4_STARTED/);
      return kea;
    },
    dnsmasq: async (...more) => {
      const words = `dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --log-facility=- --no-ping --log-dhcp --pid-file --dhcp-leasefile=${folder}/dnsmasq.leases`;
      const ranges = [1, 2].flatMap((number) => [
        `--dhcp-range=set:net${number},10.0.${number}.200,10.0.${number}.250,255.255.255.0,600`,
        `--dhcp-option=tag:net${number},option:router,10.0.${number}.1`,
      ]);
      const dnsmasq = start('dnsmasq', [...words.split(' '), ...ranges, ...more]);
      await dnsmasq.prints(/started/);
      return dnsmasq;
    },
    [Symbol.asyncDispose]: dispose,
  };
}
