import type { DaemonContext, RunningDaemon } from '@ingot/daemon';
import { loadLibc, nodeNetwork, openKernelLinks, startWakeups } from '@ingot/net';
import { readDatabaseConfig } from '../database-config.ts';
import { SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import { openSonicDb } from '../sonic-db.ts';
import { clientLinks } from './client-link.ts';
import type { SwitchRelayConfig } from './config.ts';
import { follow } from './follow.ts';
import { readInterface } from './kernel-interfaces.ts';
import { createPortFinder } from './ports.ts';
import { createPlanSource } from './plan-source.ts';
import { createRelay } from './relay.ts';
import { createTally } from './tally.ts';

/**
 * Runs the DHCP relay. Resolves once it has tried to serve its links; those that it cannot serve yet it tries again,
 * and says why. Throws SwitchAgentError `SWITCH_RELAY` on a system whose packet sockets it cannot use.
 */
export async function runSwitchRelay(context: DaemonContext<SwitchRelayConfig>): Promise<RunningDaemon> {
  const { config, log, clock, signal } = context;
  const libc = await loadLibc();
  const kernel = libc && openKernelLinks(libc);
  if (libc === undefined || kernel === undefined) {
    throw new SwitchAgentError(
      SwitchAgentErrorCode.Relay,
      "packet sockets cannot be used here: that takes Linux on 64 bits, and a Node with node:ffi such as Ingot's own",
    );
  }
  const wakeups = startWakeups(libc, context.fail);
  const tally = createTally(context.metrics);
  const relay = createRelay({
    network: nodeNetwork(),
    openClientLink: clientLinks(libc, wakeups),
    interfaceOf: readInterface,
    addresses: () => kernel.addresses(),
    ports: createPortFinder({ kernel, clock }),
    clock,
    log,
    tally,
    circuitId: config.circuitId,
    remoteId: config.remoteId,
    maxBytes: config.maxPacketBytes,
    isTraced: config.logLevel === 'debug',
  });
  const configDb = openSonicDb({
    name: 'CONFIG_DB',
    locate: async () => (await readDatabaseConfig(config.redis.databaseConfig)).CONFIG_DB,
    clock,
    timeoutMs: config.redis.timeoutSeconds * 1000,
  });
  const stopping = new AbortController();
  const ended = follow({
    ...context,
    signal: AbortSignal.any([signal, stopping.signal]),
    relay,
    source: createPlanSource(config, configDb),
  });
  await ended.first;
  return {
    stop: async () => {
      stopping.abort();
      configDb.close();
      await ended.last;
      await relay.stop();
      await wakeups.stop();
      kernel.close();
    },
  };
}
