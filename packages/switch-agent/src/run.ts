import { readFile } from 'node:fs/promises';
import type { DaemonContext, RunningDaemon } from '@ingot/daemon';
import { startSwitchAgent } from './agent.ts';
import { connectApi } from './api.ts';
import type { SwitchAgentConfig } from './config.ts';
import { type DatabaseName, readDatabaseConfig } from './database-config.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';
import { managementAddress, switchHostname } from './identity.ts';
import { readLinkState } from './link-state.ts';
import { openSonicDb, type SonicDb } from './sonic-db.ts';
import { readSonicVersion } from './sonic-version.ts';
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
  const open = (name: DatabaseName): SonicDb =>
    openSonicDb({
      name,
      locate: async () => (await readDatabaseConfig(config.redis.databaseConfig))[name],
      clock,
      timeoutMs: config.redis.timeoutSeconds * 1000,
    });
  const configDb = open('CONFIG_DB');
  const appDb = open('APPL_DB');
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
    configDb,
    appDb,
    api,
    clock,
    entropy,
    log,
    metrics: context.metrics,
    health: context.health,
    status: (text) => context.status(text),
  });
  const stop = async (): Promise<void> => {
    const stopped = agent.stop();
    configDb.close();
    appDb.close();
    await stopped;
    api.close();
  };
  if (signal.aborted) {
    await stop();
    signal.throwIfAborted();
  }
  return { stop };
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SwitchAgentError(
      SwitchAgentErrorCode.CaFile,
      `${file} cannot be read (${reasonOf(error)}); put the API server's CA (ca.pem) there, or correct api.caFile`,
      error,
    );
  }
}
