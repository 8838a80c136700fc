import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@ingot/net';
import { stringify } from 'yaml';
import { LabError } from './errors.ts';
import { leafGateway } from './leaf.ts';
import { createNamespace } from './namespace.ts';
import type { Namespace } from './namespace.ts';
import type { PartSpec } from './part.ts';

export const managementAddress = '10.0.0.1';
export const partition = 'lab';
const apiPort = 9443;
const httpPort = 8080;

export interface ManagementSetting {
  readonly namespaceName: string;
  /** Sockets and configuration. */
  readonly directory: string;
  /** Databases of the two servers. */
  readonly dataDirectory: string;
  readonly ingot: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly image: DiscoveryImage;
  readonly leaves: number;
  /** Laid over the boot server's configuration, section by section. */
  readonly bootServer: Readonly<Record<string, unknown>>;
  readonly onBootServerLine: (line: string) => void;
}

export interface DiscoveryImage {
  readonly kernel: string;
  readonly initrd: string;
}

/** The management server: one namespace in which the API server and the boot server run. */
export interface Management {
  readonly namespace: Namespace;
  readonly apiServer: PartSpec;
  readonly bootServer: PartSpec;
  readonly api: ApiFiles;
  /** Where to leave the boot server's token before it is started. */
  readonly bootServerTokenFile: string;
}

/** How to reach the API server, in the rack and from the host. */
export interface ApiFiles {
  readonly url: string;
  readonly socket: string;
  readonly caFile: string;
  readonly adminTokenFile: string;
}

export async function createManagement(setting: ManagementSetting): Promise<Management> {
  const { directory, dataDirectory } = setting;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const namespace = await createNamespace(setting.namespaceName);
  await namespace.ip('link add br0 type bridge');
  await namespace.ip(`addr add ${managementAddress}/24 dev br0`);
  await namespace.ip('link set br0 up');
  const apiData = join(dataDirectory, 'api');
  const api: ApiFiles = {
    url: `https://${managementAddress}:${apiPort}`,
    socket: join(directory, 'api.sock'),
    caFile: join(apiData, 'tls', 'ca.pem'),
    adminTokenFile: join(apiData, 'admin.token'),
  };
  const bootServerTokenFile = join(directory, 'boot-server.token');
  const files = { api: join(directory, 'api-server.yaml'), boot: join(directory, 'boot-server.yaml') };
  writeFileSync(files.api, stringify(apiServerConfig(setting, api, apiData)));
  writeFileSync(files.boot, stringify(bootServerConfig(setting, api, bootServerTokenFile)));
  const part = (name: string, file: string): PartSpec => ({
    name,
    namespace: namespace.name,
    restart: true,
    env: setting.env,
    argv: [...setting.ingot, name, '--config', file],
  });
  return {
    namespace,
    api,
    bootServerTokenFile,
    apiServer: part('api-server', files.api),
    bootServer: { ...part('boot-server', files.boot), onLine: setting.onBootServerLine },
  };
}

function apiServerConfig(setting: ManagementSetting, api: ApiFiles, dataDir: string): unknown {
  return {
    dataDir,
    listen: [`${managementAddress}:${apiPort}`, `unix:${api.socket}`],
    tls: { names: [managementAddress, 'localhost', '127.0.0.1'] },
    metrics: '127.0.0.1:2114',
    partitions: [
      {
        id: partition,
        description: 'the virtual rack',
        bootConfiguration: {
          kernelUrl: `file://${setting.image.kernel}`,
          imageUrl: `file://${setting.image.initrd}`,
          // SysRq lets the rack's owner act on a machine from its serial console, as on real servers.
          commandline: 'quiet sysrq_always_enabled=1',
        },
      },
    ],
  };
}

function bootServerConfig(setting: ManagementSetting, api: ApiFiles, tokenFile: string): unknown {
  return {
    partition,
    dataDir: join(setting.dataDirectory, 'boot'),
    advertiseAddress: managementAddress,
    dhcp: {
      listen: [managementAddress],
      subnets: Array.from({ length: setting.leaves }, (_, index) => ({
        subnet: `10.0.${index + 1}.0/24`,
        pool: `10.0.${index + 1}.100-10.0.${index + 1}.199`,
        routers: [leafGateway(index + 1)],
        leaseSeconds: 600,
        mode: 'server',
      })),
    },
    http: { listen: `${managementAddress}:${httpPort}`, url: `http://${managementAddress}:${httpPort}` },
    artifacts: { roots: [join(setting.image.kernel, '..')] },
    api: { url: api.url, caFile: api.caFile, tokenFile },
    metrics: '127.0.0.1:2113',
    ...setting.bootServer,
  };
}

/** Waits until the API server has left its token and listens; LAB_TIMEOUT with where to look otherwise. */
export async function waitForFile(path: string, clock: Clock, deadlineMs: number, what: string): Promise<void> {
  const start = clock.monotonic();
  while (!existsSync(path)) {
    if (clock.monotonic() - start > deadlineMs)
      throw new LabError('LAB_TIMEOUT', `${what} did not come up within ${deadlineMs / 1000} s`);
    await clock.sleep(50);
  }
}
