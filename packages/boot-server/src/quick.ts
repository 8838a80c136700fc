import { loadLibc, nodeNetwork, systemClock, systemEntropy } from '@ingot/net';
import { createHealth, createMetrics, Redactor, type Logger } from '@ingot/daemon';
import { startBootServer, type BootServer } from './boot-server.ts';
import type { BootServerConfig } from './config.ts';
import { chooseTftpPath } from './tftp/choose-path.ts';

/** A boot server on the host's own network for as long as a person watches it: no API, no metrics, no service manager. */
export async function startQuickBootServer(
  config: BootServerConfig,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<BootServer> {
  const network = nodeNetwork();
  const libc = await loadLibc();
  return startBootServer({
    config,
    network,
    clock: systemClock,
    entropy: systemEntropy,
    log,
    metrics: createMetrics(),
    health: createHealth({ clock: systemClock }),
    redactor: new Redactor(),
    api: undefined,
    libc,
    tftpPath: await chooseTftpPath({ config: config.tftp, libc, network, clock: systemClock, log }),
    signal,
    reload: () => Promise.resolve({ ok: false, reason: 'it was started without a configuration file' }),
  });
}
