import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Namespace, Part } from '@ingot/lab';

/** Another project's DHCP server that leases 10.0.1.100 to .199 behind leaf 1, and says nothing of booting. */
export interface ForeignDhcp {
  readonly part: Part;
  /** All that it wrote. */
  readonly said: readonly string[];
}

export interface ForeignDhcpSpec {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Printed when it serves. */
  readonly ready: RegExp;
}

const readyTimeoutMs = 90_000;

/** Starts it; rejects with its words when it does not get ready. */
export async function startForeignDhcp(
  bench: Bench,
  namespace: Namespace,
  { name, argv, env = {}, ready }: ForeignDhcpSpec,
): Promise<ForeignDhcp> {
  const said: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => reject(new Error(`${name} did not get ready:\n${said.join('\n')}`)), readyTimeoutMs);
  const part = await bench.start({
    name,
    namespace: namespace.name,
    argv,
    env,
    restart: false,
    onLine(line) {
      said.push(line);
      if (ready.test(line)) resolve(undefined);
    },
  });
  await promise.finally(() => clearTimeout(timer));
  return { part, said };
}

/** dnsmasq on an address of its own. `--bind-interfaces` leaves the others to others. `words`: more of its options. */
export function dnsmasq(directory: string, address: string, words: readonly string[] = []): ForeignDhcpSpec {
  return {
    name: 'dnsmasq',
    ready: /DHCP, sockets bound|DHCP, IP range/,
    argv: [
      ['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file='],
      ['--log-facility=-', '--log-dhcp', '--no-ping', '--dhcp-authoritative'],
      ['--bind-interfaces', `--listen-address=${address}`, `--dhcp-leasefile=${join(directory, 'dnsmasq.leases')}`],
      ['--dhcp-range=10.0.1.100,10.0.1.199,255.255.255.0,10m', '--dhcp-option=option:router,10.0.1.1'],
      words,
    ].flat(),
  };
}

/** Kea with datagram sockets on an address of its own, as it is run for relayed networks. */
export function kea(directory: string, address: string): ForeignDhcpSpec {
  const home = join(directory, 'kea');
  mkdirSync(home);
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: [`br0/${address}`], 'dhcp-socket-type': 'udp' },
      'lease-database': { type: 'memfile', persist: false },
      'valid-lifetime': 600,
      subnet4: [
        {
          id: 1,
          subnet: '10.0.1.0/24',
          pools: [{ pool: '10.0.1.100 - 10.0.1.199' }],
          'option-data': [{ name: 'routers', data: '10.0.1.1' }],
        },
      ],
      loggers: [{ name: 'kea-dhcp4', output_options: [{ output: 'stdout' }], severity: 'INFO' }],
    },
  };
  const file = join(home, 'kea-dhcp4.json');
  writeFileSync(file, JSON.stringify(config));
  return {
    name: 'kea',
    ready: /DHCP4_STARTED/,
    argv: ['kea-dhcp4', '-c', file],
    env: { KEA_PIDFILE_DIR: home, KEA_LOCKFILE_DIR: home },
  };
}

/** ISC dhcpd on the boot server's own address: it listens with packet sockets, which see all that comes. */
export function dhcpd(directory: string): ForeignDhcpSpec {
  const home = join(directory, 'dhcpd');
  mkdirSync(home);
  const config = join(home, 'dhcpd.conf');
  const leases = join(home, 'dhcpd.leases');
  writeFileSync(leases, '');
  writeFileSync(
    config,
    [
      'authoritative;',
      'ping-check off;',
      'default-lease-time 600;',
      // Without a declaration of its own link it does not listen there.
      'subnet 10.0.0.0 netmask 255.255.255.0 { }',
      'subnet 10.0.1.0 netmask 255.255.255.0 { range 10.0.1.100 10.0.1.199; option routers 10.0.1.1; }',
      '',
    ].join('\n'),
  );
  return {
    name: 'dhcpd',
    ready: /Server starting service|Listening on LPF/,
    argv: ['dhcpd', '-4', '-f', '-d', '-cf', config, '-lf', leases, '-pf', join(home, 'dhcpd.pid'), 'br0'],
  };
}
