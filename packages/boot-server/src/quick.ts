import { systemClock, systemEntropy } from '@ingot/net';
import { createHealth, createMetrics, Redactor, type Logger } from '@ingot/daemon';
import { startBootServer, type BootServer } from './boot-server.ts';
import type { BootServerConfig } from './config.ts';
import { openHost } from './host.ts';
import { chooseTftpPath } from './tftp/choose-path.ts';

/** A boot server on the host's own network for as long as a person watches it: no API, no metrics, no service manager. */
export async function startQuickBootServer(
  config: BootServerConfig,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<BootServer> {
  const clock = systemClock;
  const { close, ...host } = await openHost(config, { clock, log });
  const { libc, network } = host;
  const server = await startBootServer({
    config,
    ...host,
    clock,
    entropy: systemEntropy,
    log,
    metrics: createMetrics(),
    health: createHealth({ clock }),
    redactor: new Redactor(),
    api: undefined,
    tftpPath: await chooseTftpPath({ config: config.tftp, libc, network, clock, log }),
    signal,
    reload: () => Promise.resolve({ ok: false, reason: 'it was started without a configuration file' }),
  }).catch((error: unknown) => {
    close();
    throw error;
  });
  return {
    ...server,
    stop: async () => {
      await server.stop();
      close();
    },
  };
}
