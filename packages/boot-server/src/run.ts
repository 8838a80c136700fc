import { hostname } from 'node:os';
import {
  becomeUser,
  Capability,
  DaemonError,
  DaemonErrorCode,
  type DaemonContext,
  type RunningDaemon,
} from '@ingot/daemon';
import { startComponentPings } from './api/component-ping.ts';
import { grpcBootApi } from './api/grpc-boot-api.ts';
import { startBootServer } from './boot-server.ts';
import type { BootServerConfig } from './config.ts';
import { doubtsOf } from './config/doubts.ts';
import { BootServerError, BootServerErrorCode } from './errors.ts';
import { openHost } from './host.ts';
import { ipv6Listens, ipv6Ready } from './listen/ipv6-ready.ts';
import { chooseTftpPath } from './tftp/choose-path.ts';
import { bootServerVersion } from './version.ts';

/** Runs the boot server on the machine's own network, as `runDaemon` starts it. */
export async function runBootServer(
  context: DaemonContext<BootServerConfig>,
): Promise<RunningDaemon<BootServerConfig>> {
  try {
    return await start(context);
  } catch (error) {
    // Settings that contradict each other do so at the next start as well; a file may be there by then.
    if (error instanceof BootServerError && error.code === BootServerErrorCode.ConfigInvalid)
      throw new DaemonError(DaemonErrorCode.Config, error.message, error);
    throw error;
  }
}

async function start(context: DaemonContext<BootServerConfig>): Promise<RunningDaemon<BootServerConfig>> {
  const { config, log, clock, entropy, metrics, health, redactor, signal } = context;
  const tellDoubts = (settings: BootServerConfig): void => {
    for (const doubt of doubtsOf(settings)) log.warn({ event: 'settings.doubtful' }, doubt);
  };
  await ipv6Ready(ipv6Listens(config), { clock, log, signal });
  const { close, ...host } = await openHost(config, { clock, log });
  const { libc, network } = host;
  if (config.runAs !== undefined) {
    becomeUser({ user: config.runAs, keep: [Capability.NET_BIND_SERVICE], folder: config.dataDir, libc });
    log.info({ event: 'run-as', user: config.runAs }, `goes on as ${config.runAs}`);
  }
  const apiOptions = config.api && { ...config.api, partition: config.partition, signal };
  const api = apiOptions && grpcBootApi(apiOptions);
  const server = await startBootServer({
    config,
    ...host,
    clock,
    entropy,
    log,
    metrics,
    health,
    redactor,
    api,
    ...(api === undefined ? {} : { imageLists: api }),
    tftpPath: await chooseTftpPath({ config: config.tftp, libc, network, clock, log }),
    signal,
    reload: context.reload,
  });
  tellDoubts(config);
  const pings =
    api === undefined
      ? undefined
      : startComponentPings({ api, identifier: hostname(), version: bootServerVersion, clock, entropy, log });
  context.status(`serving ${config.dhcp.subnets.length} networks of partition ${config.partition}`);
  return {
    reload: async (next) => {
      const reloaded = await server.reload(next);
      tellDoubts(next);
      // What is under way goes on where it began.
      if (apiOptions !== undefined) Object.assign(apiOptions, next.api);
      context.status(`serving ${next.dhcp.subnets.length} networks of partition ${config.partition}`);
      return reloaded;
    },
    stop: async () => {
      await pings?.stop();
      await server.stop();
      close();
      await api?.close();
    },
  };
}
