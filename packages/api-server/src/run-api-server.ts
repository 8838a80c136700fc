import { defaultServerLimits } from '@ingot/api';
import { readSecretFile, type DaemonContext, type Metrics, type RunningDaemon } from '@ingot/daemon';
import { callObserver } from './call-log.ts';
import { createBackupJob } from './backup/backup-job.ts';
import { startControlPlane } from './control-plane.ts';
import type { ApiServerConfig } from './config.ts';
import { connectionsWithin, OPEN_FILES } from './open-files.ts';
import { refusalObserver } from './refusals.ts';
import { currentSettings } from './reload.ts';
import { tameHeap } from './tame-heap.ts';
import { defaultLocation, parseDatabaseLocation, type DatabaseLocation } from './store/location.ts';

/** Runs the API server under `runDaemon`. */
export async function runApiServer(context: DaemonContext<ApiServerConfig>): Promise<RunningDaemon<ApiServerConfig>> {
  tameHeap();
  const { config, log, clock, entropy, metrics, health } = context;
  const observe = callObserver(context);
  const maxConnections = await connectionsWithin(OPEN_FILES);
  if (maxConnections < defaultServerLimits.maxConnections) {
    log.warn(
      { event: 'api.few-files', maxConnections },
      `this process may open so few files that it takes ${maxConnections} connections, and not ` +
        `${defaultServerLimits.maxConnections}: raise LimitNOFILE, or ulimit -n`,
    );
  }
  const { superUserPassword, reload } = await currentSettings(context);
  const location = await locationOf(context);
  const { backup: settings } = config;
  const backup =
    settings === undefined
      ? undefined
      : await createBackupJob({ settings, location, clock, entropy, log, redactor: context.redactor });
  const plane = await startControlPlane({
    dataDir: config.dataDir,
    database: location,
    jobs: backup === undefined ? [] : [backup.job],
    listen: config.listen,
    names: config.tls.names,
    partitions: config.partitions,
    providerTenant: config.providerTenant,
    callsPerMinute: config.callsPerMinute,
    resurrect: config.resurrectMachines,
    superUserPassword,
    clock,
    entropy,
    log,
    onCall: observe,
    onRefusal: refusalObserver({ metrics, log, clock }),
    maxConnections,
  });
  health.check('database', () => plane.database.state());
  stateGauges(metrics, plane.waitingRoom, () => plane.stores.machines.count());
  if (backup !== undefined) {
    metrics.gauge({
      name: 'ingot_api_last_backup_seconds',
      help: 'When the newest backup was made, seconds since the epoch; 0 before there is one.',
      collect: (gauge) => gauge.set({}, Math.floor((backup.newestAt() ?? 0) / 1000)),
    });
  }
  log.info(
    {
      event: 'api.listening',
      listen: plane.server.addresses,
      caFile: plane.caFile,
      adminTokenFile: plane.adminTokenFile,
    },
    `serving on ${plane.server.addresses.join(', ')}; clients trust ${plane.caFile}, the operator's token is in ` +
      plane.adminTokenFile,
  );
  context.status(`serving on ${plane.server.addresses.join(', ')}`);
  return { reload, stop: () => plane.stop() };
}

async function locationOf({
  config: { dataDir, database, databasePasswordFile },
  redactor,
}: DaemonContext<ApiServerConfig>): Promise<DatabaseLocation> {
  const location = database === undefined ? defaultLocation(dataDir) : parseDatabaseLocation(database);
  if (location.dialect === 'sqlite' || databasePasswordFile === undefined) return location;
  const password = await readSecretFile(databasePasswordFile);
  redactor.add(password);
  return { ...location, password };
}

function stateGauges(metrics: Metrics, waitingRoom: { readonly size: number }, machines: () => Promise<number>): void {
  metrics.gauge({
    name: 'ingot_api_machines',
    help: 'Machines in the database.',
    collect: async (gauge) => gauge.set({}, await machines()),
  });
  metrics.gauge({
    name: 'ingot_api_waiting_machines',
    help: 'Machines that hold a Wait stream.',
    collect: (gauge) => gauge.set({}, waitingRoom.size),
  });
}
