import type { CallRecord } from '@ingot/api';
import { readSecretFile, type DaemonContext, type Metrics, type RunningDaemon } from '@ingot/daemon';
import { createBackupJob } from './backup/backup-job.ts';
import { startControlPlane } from './control-plane.ts';
import type { ApiServerConfig } from './config.ts';
import { currentSettings } from './reload.ts';
import { tameHeap } from './tame-heap.ts';
import { defaultLocation, parseDatabaseLocation, type DatabaseLocation } from './store/location.ts';

/** Runs the API server under `runDaemon`. */
export async function runApiServer(context: DaemonContext<ApiServerConfig>): Promise<RunningDaemon<ApiServerConfig>> {
  tameHeap();
  const { config, log, clock, entropy, metrics, health } = context;
  const observe = callObserver(context);
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
    callsPerMinute: config.callsPerMinute,
    resurrect: config.resurrectMachines,
    superUserPassword,
    clock,
    entropy,
    log,
    onCall: observe,
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

/** Counts and times every call, and logs those that the operator can do something about. */
function callObserver({ metrics, log }: DaemonContext<ApiServerConfig>): (record: CallRecord) => void {
  const calls = metrics.counter({
    name: 'ingot_api_calls_total',
    help: 'Calls by method and status code.',
    labels: ['method', 'code'],
  });
  const seconds = metrics.histogram({
    name: 'ingot_api_call_seconds',
    help: 'How long calls took, streams included.',
    labels: ['method'],
  });
  return ({ method, peer, requestId, durationMs, code, error }) => {
    calls.inc({ method, code });
    seconds.observe({ method }, durationMs / 1000);
    const fields = { event: 'api.call', method, peer, requestId, code, ms: Math.round(durationMs) };
    if (code === 'Internal' || code === 'Unknown') log.error({ ...fields, err: error }, `${method} failed`);
    // Whoever calls too often is in the log already, and not once for each call.
    else if (code === 'Ok' || code === 'Canceled' || error?.retryAfterMs !== undefined) log.debug(fields, method);
    else log.warn({ ...fields, reason: error?.message }, `${method}: ${code}: ${error?.message ?? ''}`);
  };
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
