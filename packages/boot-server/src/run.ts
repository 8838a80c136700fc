import { hostname } from 'node:os';
import { loadLibc, nodeNetwork } from '@ingot/net';
import { becomeUser, Capability, type DaemonContext, type RunningDaemon } from '@ingot/daemon';
import { startComponentPings } from './api/component-ping.ts';
import { grpcBootApi } from './api/grpc-boot-api.ts';
import { startBootServer } from './boot-server.ts';
import type { BootServerConfig } from './config.ts';
import { chooseCapture } from './dhcp/capture.ts';
import { chooseFrames } from './dhcp/client-link.ts';
import { chooseAddressProbe } from './dhcp/choose-probe.ts';
import { findNeighbours } from './dhcp/neighbours.ts';
import { ipv6Listens, ipv6Ready } from './ipv6-ready.ts';
import { chooseTftpPath } from './tftp/choose-path.ts';
import { bootServerVersion } from './version.ts';

/** Runs the boot server on the machine's own network, as `runDaemon` starts it. */
export async function runBootServer(
  context: DaemonContext<BootServerConfig>,
): Promise<RunningDaemon<BootServerConfig>> {
  const { config, log, clock, entropy, metrics, health, redactor, signal } = context;
  const libc = await loadLibc();
  await ipv6Ready(ipv6Listens(config), { clock, log, signal });
  // Another user may not see whose sockets they are.
  const neighbours = findNeighbours();
  const network = nodeNetwork();
  // An echo socket, too, may be root's alone.
  const addressProbe = await chooseAddressProbe({ config: config.dhcp, libc, network, clock, log });
  const frames = chooseFrames({ config: config.dhcp, libc, log });
  const capture = chooseCapture(config.dhcp, libc);
  if (config.runAs !== undefined) {
    becomeUser({ user: config.runAs, keep: [Capability.NET_BIND_SERVICE], folder: config.dataDir, libc });
    log.info({ event: 'run-as', user: config.runAs }, `goes on as ${config.runAs}`);
  }
  const apiOptions = config.api && { ...config.api, partition: config.partition, signal };
  const api = apiOptions && grpcBootApi(apiOptions);
  const server = await startBootServer({
    config,
    network,
    neighbours,
    addressProbe,
    frames,
    capture,
    clock,
    entropy,
    log,
    metrics,
    health,
    redactor,
    api,
    ...(api === undefined ? {} : { imageLists: api }),
    libc,
    tftpPath: await chooseTftpPath({ config: config.tftp, libc, network, clock, log }),
    signal,
    reload: context.reload,
  });
  const pings =
    api === undefined
      ? undefined
      : startComponentPings({ api, identifier: hostname(), version: bootServerVersion, clock, entropy, log });
  context.status(`serving ${config.dhcp.subnets.length} networks of partition ${config.partition}`);
  return {
    reload: async (next) => {
      const reloaded = await server.reload(next);
      // What is under way goes on where it began.
      if (apiOptions !== undefined) Object.assign(apiOptions, next.api);
      context.status(`serving ${next.dhcp.subnets.length} networks of partition ${config.partition}`);
      return reloaded;
    },
    stop: async () => {
      await pings?.stop();
      await server.stop();
      addressProbe?.stop();
      frames?.close();
      capture?.close();
      await api?.close();
    },
  };
}
