import type { DaemonContext, RunningDaemon } from '@ingot/daemon';
import { startSwitchAgent } from './agent.ts';
import { connectApi } from './api.ts';
import { readCa } from './api-ca.ts';
import type { SwitchAgentConfig } from './config.ts';
import { leafConfigOf } from './config/fabric.ts';
import { frrOf } from './frr/from-config.ts';
import type { Frr } from './frr/frr.ts';
import { managementAddress, switchHostname } from './identity.ts';
import { readLinkState } from './link-state.ts';
import { createProblems, type Problems } from './problems.ts';
import { createConfigSaver } from './reconcile/config-saver.ts';
import { createReconciler, type Reconciler } from './reconcile/reconciler.ts';
import type { LeafConfig } from './reconcile/wishes.ts';
import { openDatabases, type SwitchDatabases } from './switch-databases.ts';
import { serveStatus } from './status/status-server.ts';
import { readSonicVersion } from './sonic-version.ts';
import { tokenFile } from './token/token-file.ts';
import { agentVersion } from './version.ts';

/**
 * Runs the agent of a SONiC leaf. Resolves once it runs, before it is registered; throws SwitchAgentError when the
 * switch cannot be named, has no management address, or a file is missing that it cannot do without.
 */
export async function runSwitchAgent(context: DaemonContext<SwitchAgentConfig>): Promise<RunningDaemon> {
  const { config, log, clock, entropy, signal } = context;
  const id = switchHostname(config.hostname);
  const managementIp = managementAddress(config.managementIp, config.managementInterface);
  const osVersion = await readSonicVersion(config.sonicVersionFile);
  const ca = await readCa(config.api.caFile);
  const leaf = leafConfigOf(config);
  const databases = openDatabases(config, clock);
  const problems = createProblems(log);
  const frr =
    leaf === undefined || !config.frr.enabled
      ? undefined
      : frrOf(config.frr, {
          managementInterface: config.managementInterface,
          cycleMs: config.cycleTimeoutSeconds * 1000,
          osVersion,
          configDb: databases.configDb,
          clock,
          metrics: context.metrics,
          log,
        });
  const api = connectApi({
    url: config.api.url,
    ca,
    tokenFile: config.api.tokenFile,
    timeoutMs: config.api.timeoutSeconds * 1000,
  });
  log.info({ switch: id, managementIp, osVersion, agentVersion, api: config.api.url }, 'the switch agent runs');
  const agent = startSwitchAgent({
    identity: {
      id,
      partition: config.partition,
      rack: config.rack,
      room: config.room,
      managementIp,
      managementUser: config.managementUser,
      osVersion,
      agentVersion,
    },
    namingSchema: config.namingSchema,
    linkState: (port) => readLinkState(config.sysClassNet, port),
    periodMs: config.heartbeatSeconds * 1000,
    configDb: databases.configDb,
    appDb: databases.appDb,
    api,
    tokenFile: tokenFile(config.api.tokenFile),
    leaveOut: config.additionalBridgePorts,
    ...(leaf === undefined
      ? {}
      : {
          reconcile: {
            reconciler: reconcilerOf(context, { id, leaf, databases, frr, problems }),
            periodMs: config.reconfigureSeconds * 1000,
            cycleMs: config.cycleTimeoutSeconds * 1000,
          },
        }),
    bgp: frr && { read: (until) => frr.neighbors(until), tellApi: config.reconfigure },
    problems,
    clock,
    entropy,
    log,
    metrics: context.metrics,
    health: context.health,
    status: (text) => context.status(text),
  });
  const statusServer = await serveStatus(
    config.statusSocket,
    () => agent.status(),
    (reason) => log.warn({ socket: config.statusSocket }, reason),
  );
  const stop = async (): Promise<void> => {
    const stopped = agent.stop();
    await statusServer.stop();
    databases.close();
    await stopped;
    api.close();
  };
  if (signal.aborted) {
    await stop();
    signal.throwIfAborted();
  }
  return { stop };
}

// The first look at the hardware after a step is early, because most steps take SONiC a few dozen milliseconds.
const FIRST_POLL_MS = 50;
const LONGEST_POLL_MS = 1000;

interface Reconciled {
  readonly id: string;
  readonly leaf: LeafConfig;
  readonly databases: SwitchDatabases;
  readonly frr: Frr | undefined;
  readonly problems: Problems;
}

function reconcilerOf(
  context: DaemonContext<SwitchAgentConfig>,
  { id, leaf, databases, frr, problems }: Reconciled,
): Reconciler {
  const { config, log, clock } = context;
  return createReconciler({
    hostname: id,
    logLevel: config.logLevel,
    leaf,
    reconfigure: config.reconfigure,
    stateFile: config.stateFile,
    saver: config.saveConfig ? createConfigSaver({ file: config.savedConfigFile, clock, problems, log }) : undefined,
    configDb: databases.configDb,
    hardware: databases,
    frr,
    waitMs: config.hardwareTimeoutSeconds * 1000,
    pollMs: [FIRST_POLL_MS, LONGEST_POLL_MS],
    clock,
    problems,
    log,
  });
}
