import { join } from 'node:path';
import {
  createApiServer,
  grpcHealthService,
  methodAccess,
  methodPath,
  reflectionServices,
  type ApiServer,
  type CallRecord,
  type MethodAccess,
  type OnRefusal,
} from '@ingot/api';
import { parseListenAddress, type Logger } from '@ingot/daemon';
import type { Clock, Entropy } from '@ingot/net';
import { createAudit } from './audit/audit-calls.ts';
import { ensureAdminToken } from './auth/admin-token.ts';
import { refuseStrangers } from './auth/authorize.ts';
import { createAuthorizer } from './auth/authorizer.ts';
import { createCallLimits, type CallsPerMinute } from './auth/call-limits.ts';
import type { Caller } from './auth/caller.ts';
import { ensureProviderTenant, withProviderRights } from './auth/provider-tenant.ts';
import { createTokenIssuer } from './auth/token-issuer.ts';
import { uuidV7 } from './auth/uuid-v7.ts';
import type { PartitionConfig } from './config.ts';
import { startPeriodicJobs, type PeriodicJob } from './jobs/periodic-jobs.ts';
import { resurrection } from './machine/resurrect.ts';
import { createWaitingRoom, type WaitingRoom } from './machine/waiting-room.ts';
import { allServices } from './services/all-services.ts';
import { Dialect, type Database } from './store/database.ts';
import { defaultLocation, type DatabaseLocation } from './store/location.ts';
import { takeLock } from './store/lock.ts';
import { openDatabase } from './store/open-database.ts';
import { createSecretStore } from './store/secret-store.ts';
import { createStores, type Stores } from './store/stores.ts';
import { sweepInvites } from './tenancy/invite.ts';
import { createAuthorityStore } from './tls/authority-store.ts';
import { loadTlsFiles } from './tls/tls-files.ts';
import { upsertPartitions } from './upsert-partitions.ts';
import { version } from './version.ts';
import { createLongReads } from './views/long-reads.ts';

export interface ControlPlaneOptions {
  /** Certificates, the admin token and, unless `database` says otherwise, the database. Absolute path. */
  readonly dataDir: string;
  /** Default SQLite in `<dataDir>/api.sqlite`. */
  readonly database?: DatabaseLocation;
  /** `address:port` or `unix:/path`. */
  readonly listen: readonly string[];
  /** Host names and addresses that clients dial, besides those of `listen` and localhost. */
  readonly names: readonly string[];
  readonly partitions: readonly PartitionConfig[];
  readonly clock: Clock;
  /** What the patience with the database is measured by: it takes its real time. Default `clock`. */
  readonly databaseClock?: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly onCall?: (record: CallRecord) => void;
  readonly onRefusal?: OnRefusal;
  /** Default what `defaultServerLimits` says. */
  readonly maxConnections?: number;
  /** Login of the tenant whose members are administrators; default none. */
  readonly providerTenant?: string | undefined;
  /** How often others than administrators and infrastructure may call. Default: as often as they like. */
  readonly callsPerMinute?: CallsPerMinute;
  /** What the superuser of every BMC is to have, asked at each use. Default: there is to be no superuser. */
  readonly superUserPassword?: () => string | undefined;
  /** Whether lost machines that nobody has are started anew; default no. */
  readonly resurrect?: boolean;
  /** Periodic work besides the server's own, done by one of the servers that share the database. */
  readonly jobs?: readonly PeriodicJob[];
}

/** A running API server with its state. */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly database: Database;
  readonly stores: Stores;
  readonly waitingRoom: WaitingRoom;
  readonly caFile: string;
  readonly adminTokenFile: string;
  stop(): Promise<void>;
}

const HOUR_MS = 60 * 60 * 1000;

/** Opens the database, makes what is missing of certificates and the admin token, and serves. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dataDir, clock, entropy, log } = options;
  const names = certificateNames(options.names, options.listen);
  const location = options.database ?? defaultLocation(dataDir);
  await using starting = new AsyncDisposableStack();
  starting.use(takeLock(join(dataDir, 'server.lock'), dataDir));
  const database = starting.use(await openDatabase(location, { clock: options.databaseClock ?? clock }));
  const stores = createStores(database, clock);
  // Nobody waits at a server that starts, and SQLite has no other.
  await stores.waiting.sweep(database.dialect === Dialect.Sqlite);
  const waitingRoom = starting.use(createWaitingRoom({ database, waiting: stores.waiting, clock, entropy }));
  await upsertPartitions(stores, options.partitions, clock.now());
  const secrets = createSecretStore(database);
  const authority = createAuthorityStore(secrets, database.dialect === Dialect.Postgres);
  const tlsOptions = { directory: join(dataDir, 'tls'), names, authority, clock, entropy };
  const tls = await loadTlsFiles(tlsOptions);
  const issuerUrl = `https://${names[0] ?? 'localhost'}`;
  const issuer = await createTokenIssuer({ secrets, tokens: stores.tokens, clock, entropy, issuer: issuerUrl });
  const adminTokenFile = join(dataDir, 'admin.token');
  const madeToken = await ensureAdminToken(adminTokenFile, issuer, clock);
  if (tls.renewed !== undefined) {
    log.info({ event: 'tls.renewed', reason: tls.renewed, names }, `made a server certificate: ${tls.renewed}`);
  }
  if (tls.untrusted !== undefined) log.error({ event: 'tls.untrusted' }, tls.untrusted);
  if (madeToken) log.info({ event: 'token.admin', file: adminTokenFile }, `made an admin token: ${adminTokenFile}`);

  const { providerTenant } = options;
  if (providerTenant !== undefined) await ensureProviderTenant(stores, providerTenant);
  const provided =
    providerTenant === undefined ? (caller: Caller) => caller : withProviderRights(stores, providerTenant);

  const methods = new Map<string, MethodAccess>();
  const services = allServices({
    stores,
    database,
    waitingRoom,
    issuer,
    clock,
    entropy,
    version,
    methods,
    superUserPassword: options.superUserPassword ?? (() => undefined),
    longReads: createLongReads(),
    configured: new Set(options.partitions.map(({ id }) => id)),
  });
  const served = services.flatMap((bound) => bound.methods).map(({ desc }) => desc);
  for (const desc of served) methods.set(methodPath(desc), methodAccess(desc));
  const serving = async (): Promise<boolean> => (await database.state()).ok;
  const withHealth = [...services, grpcHealthService<Caller>({ services, serving, clock })];
  const limits =
    options.callsPerMinute === undefined
      ? undefined
      : createCallLimits({ perMinute: options.callsPerMinute, methods, clock, log });
  const server = createApiServer<Caller>({
    services: [...withHealth, ...reflectionServices(withHealth)],
    tls: tls.server,
    listen: options.listen,
    authenticate: async (bearer) => provided(await issuer.authenticate(bearer)),
    ...(limits === undefined ? {} : { admit: limits.admit }),
    refuseStrangers,
    authorize: createAuthorizer(stores),
    audit: createAudit(stores, new Map(served.map((desc) => [methodPath(desc), desc])), log),
    clock,
    entropy,
    ...(options.maxConnections === undefined ? {} : { limits: { maxConnections: options.maxConnections } }),
    ...(options.onRefusal === undefined ? {} : { onRefusal: options.onRefusal }),
    ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
  });
  await server.start();
  starting.defer(() => server.stop());

  const renewCertificate = async (): Promise<void> => {
    try {
      const { renewed: reason, server: identity, untrusted } = await loadTlsFiles(tlsOptions);
      if (untrusted !== undefined) log.error({ event: 'tls.untrusted' }, untrusted);
      if (reason === undefined) return;
      server.setTls(identity);
      log.info({ event: 'tls.renewed', reason }, `made a server certificate: ${reason}`);
    } catch (error) {
      log.error({ event: 'tls.failed', err: error }, 'cannot renew the server certificate');
    }
  };
  const housekeeping = clock.setInterval(() => void renewCertificate(), HOUR_MS);
  starting.defer(() => housekeeping.cancel());
  const sweep: PeriodicJob = {
    name: 'sweep',
    everyMs: HOUR_MS,
    async run() {
      await stores.tokens.sweep();
      await stores.components.sweep();
      await stores.waiting.sweep();
      await stores.audit.sweep();
      await stores.bmcCommands.sweep();
      await stores.idempotency.sweep();
      await sweepInvites(stores, clock.now());
      return undefined;
    },
  };
  const settle: PeriodicJob = {
    name: 'settle-bmc-commands',
    everyMs: SETTLE_MS,
    async run() {
      await stores.bmcCommands.settle();
      return undefined;
    },
  };
  const resurrect = resurrection({ stores, clock, log, newId: () => uuidV7(clock.now(), entropy) });
  starting.use(
    startPeriodicJobs({
      session: database,
      clock,
      log,
      holder: uuidV7(clock.now(), entropy),
      jobs: [sweep, settle, ...(options.resurrect === true ? [resurrect] : []), ...(options.jobs ?? [])],
      tasks: stores.tasks,
    }),
  );

  const running = starting.move();
  return {
    server,
    database,
    stores,
    waitingRoom,
    caFile: tls.caFile,
    adminTokenFile,
    stop: () => running.disposeAsync(),
  };
}

/** A command that nobody takes has its result so long after its time. */
const SETTLE_MS = 30_000;
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Configured names first; then what the server listens on, where that says something; then this host itself. */
function certificateNames(configured: readonly string[], listen: readonly string[]): string[] {
  const listened = listen.flatMap((text) => {
    const address = parseListenAddress(text);
    return address?.kind === 'tcp' && !EVERY_ADDRESS.has(address.address) ? [address.address] : [];
  });
  return [...new Set([...configured, ...listened, 'localhost', '127.0.0.1'])];
}
