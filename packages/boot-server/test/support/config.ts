import { join } from 'node:path';
import type { BootServerConfig } from '../../src/config.ts';
import { agentSchema } from '../../src/config/agent.ts';
import { tftpSchema, type TftpConfig } from '../../src/config/tftp.ts';

export const SERVER = '10.0.0.1';

/** As an operator's file would be after loading; `dataDir` and the HTTP port are the test's own. */
export function testConfig(dataDir: string, change: Partial<BootServerConfig> = {}): BootServerConfig {
  return {
    partition: 'lab',
    dataDir,
    advertiseAddress: SERVER,
    dhcp: {
      listen: [SERVER],
      mode: 'server',
      relays: [],
      whenUndecided: 'lastKnown',
      subnets: [subnetConfig('10.0.0'), subnetConfig('10.0.1'), subnetConfig('10.0.2')],
    },
    pxe: {},
    tftp: tftpConfig(),
    http: httpConfig(),
    ipxe: {
      directory: '/usr/lib/ipxe',
      files: { bios: 'undionly.kpxe', efiX64: 'snponly.efi' },
      chainRoms: false,
      loaders: {},
    },
    artifacts: { roots: [], maxBytes: 64_000_000 },
    api: { url: 'https://10.0.0.1:9443', caFile: join(dataDir, 'ca.pem'), tokenFile: join(dataDir, 'token') },
    machine: { ntpServers: [], dnsServers: [], debug: false },
    agent: agentSchema.parse({}),
    sources: {},
    boot: { peers: [], seenWithinMinutes: 30, nonceMinutes: 30 },
    admin: {},
    logLevel: 'debug',
    ...change,
  };
}

export function tftpConfig(change: Partial<TftpConfig> = {}): TftpConfig {
  return tftpSchema.parse(change);
}

export function httpConfig(change: Partial<BootServerConfig['http']> = {}): BootServerConfig['http'] {
  return {
    listen: '127.0.0.1:0',
    url: 'http://10.0.0.1:8080',
    engine: 'auto',
    signing: { urlMinutes: 720 },
    v1Certs: false,
    ...change,
  };
}

export function subnetConfig(
  prefix: string,
  change: Partial<BootServerConfig['dhcp']['subnets'][number]> = {},
): BootServerConfig['dhcp']['subnets'][number] {
  return {
    subnet: `${prefix}.0/24`,
    pool: `${prefix}.100-${prefix}.199`,
    reservations: [],
    routers: [`${prefix}.254`],
    dnsServers: ['10.0.0.53'],
    ntpServers: ['10.0.0.123'],
    leaseSeconds: 600,
    ...change,
  };
}
