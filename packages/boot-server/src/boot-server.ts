import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ipv4ToNumber } from '@ingot/wire';
import type { Clock, Entropy, FrameSocket, Libc, Network } from '@ingot/net';
import type { Health, Logger, Metrics, Redactor, ReloadResult } from '@ingot/daemon';
import { adminRoutes } from './admin/routes.ts';
import { startAdminServer } from './admin/server.ts';
import type { BootApi } from './api/boot-api.ts';
import { createBootEvents } from './api/boot-events.ts';
import { contentMemory } from './artifacts/content.ts';
import { localFiles } from './artifacts/local-file.ts';
import { fetchRemoteFile } from './artifacts/remote-file.ts';
import { createArtifactStore } from './artifacts/store.ts';
import type { BootServerConfig } from './config.ts';
import type { BootDecision } from './decide/decision.ts';
import { quirksOf } from './decide/quirks.ts';
import { loaderFetches } from './decide/loader-fetches.ts';
import { subjectMemory } from './decide/subject-memory.ts';
import type { AddressProbe } from './dhcp/address-probe.ts';
import type { CaptureSockets } from './dhcp/capture.ts';
import { createDhcpEngine } from './dhcp/engine.ts';
import type { Neighbour } from './dhcp/neighbours.ts';
import { startDhcpServer, type UdpServer } from './dhcp/server.ts';
import { findSubnet } from './dhcp/subnets.ts';
import { clientRate } from './dhcpv6/client-rate.ts';
import { overIpv6 } from './dhcpv6/decide.ts';
import { createDhcp6Responder } from './dhcpv6/responder.ts';
import { startDhcp6Server } from './dhcpv6/server.ts';
import { startBodySender } from './http/body/body-sender.ts';
import { HTTP_LIMITS } from './http/limits.ts';
import { BootServerError, BootServerErrorCode } from './errors.ts';
import type { CertsRouteComponents } from './http/certs-route.ts';
import type { ConfigRouteComponents } from './http/config-route.ts';
import type { GiveComponents } from './http/give-once.ts';
import { parseHttpListen, planTls } from './http/listen.ts';
import { createPeers } from './http/peers.ts';
import { loadSigningKeys } from './http/signing-key.ts';
import { startHttpServer } from './http/server.ts';
import { cachedFetch } from './image-cache/cached-fetch.ts';
import { openCacheDirectory } from './image-cache/cache-directory.ts';
import { createImageCache } from './image-cache/image-cache.ts';
import type { ImageLists } from './image-cache/lists.ts';
import { httpStoreClient } from './image-cache/store-client.ts';
import { bootMetrics, registerGauges, registerImageGauges } from './metrics.ts';
import { createPolicy, type PolicyStores } from './policy.ts';
import type { PublishedFiles } from './published-files.ts';
import { startPxeServer } from './pxe/server.ts';
import { currentPolicy } from './reload/current-policy.ts';
import { withFixedSettings } from './reload/fixed-settings.ts';
import { simulateDry } from './simulate/dry-run.ts';
import { bootStore } from './store/boots.ts';
import { openDatabase } from './store/database.ts';
import { groupCommit } from './store/group-commit.ts';
import { leaseStore } from './store/leases.ts';
import { lease6Store } from './store/leases6.ts';
import { serverDuid } from './store/leases6.ts';
import { lockDataDir } from './store/lock.ts';
import { sightingStore } from './store/sightings.ts';
import { nodeEngine } from './tftp/node-engine.ts';
import { ethernetMtu } from './tftp/path-mtu.ts';
import { startTftpServer, type TftpPath } from './tftp/server.ts';
import { traceLogger } from './timeline/traced-logger.ts';
import { watchMachines, type MachineWatch } from './timeline/watch.ts';

export interface BootServerComponents {
  readonly config: BootServerConfig;
  readonly network: Network;
  /** Other programs on port 67 of this host; default none. */
  readonly neighbours?: readonly Neighbour[];
  /** Asks whether an address is in use before it is offered; default: nobody is asked. The caller stops it. */
  readonly addressProbe?: AddressProbe | undefined;
  /** Below the sockets of another DHCP server; default: sockets of our own on port 67. The caller closes them. */
  readonly capture?: CaptureSockets | undefined;
  /** Reaches clients that have no address yet; default: by broadcast. The caller closes it. */
  readonly frames?: FrameSocket | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Keeps secrets out of what the admin socket tells. */
  readonly redactor: Redactor;
  /** Undefined: other sources decide. */
  readonly api: BootApi | undefined;
  /** What the image cache keeps besides the images of the configuration. */
  readonly imageLists?: ImageLists;
  /** System calls that Node lacks; undefined: everything goes without them. */
  readonly libc: Libc | undefined;
  /** How TFTP reaches its clients; undefined: over `network`, as if all of it were Ethernet. */
  readonly tftpPath?: TftpPath | undefined;
  /** Ends downloads that are under way. */
  readonly signal: AbortSignal;
  /** Reads the configuration again, and calls `reload` of the server with it: for the admin socket. */
  readonly reload: () => Promise<ReloadResult>;
}

export interface BootServer {
  /** Of the HTTP server: the real one when 0 was configured. */
  readonly httpPort: number;
  /** The machines that boot here, and what happens to them. */
  readonly watch: MachineWatch;
  /**
   * Goes on with another configuration; no transfer ends and no lease goes. Resolves to the settings that changed and
   * count only after a restart; rejects with BootServerError, with all as it was, when it cannot.
   */
  reload(config: BootServerConfig): Promise<readonly string[]>;
  /** Stops listening, ends transfers, closes the store. */
  stop(): Promise<void>;
}

/** Starts every service, or none: rejects with BootServerError CONFIG_INVALID, STORE_UNUSABLE or LISTEN_FAILED. */
export async function startBootServer(components: BootServerComponents): Promise<BootServer> {
  const { config, network, clock, entropy, api, tftpPath } = components;
  const machines = watchMachines(clock, components.metrics);
  const log = traceLogger(components.log, machines.timeline);
  const httpListen = parseHttpListen(config.http.listen);
  const tls = planTls(config);

  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockDataDir(config.dataDir, process.pid);
  const stops: (() => Promise<void>)[] = [() => Promise.resolve(unlock())];
  if (tftpPath !== undefined) stops.push(() => tftpPath.engine.stop());
  const stop = async (): Promise<void> => {
    // The last started first: nothing is answered out of a closed store.
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const database = openDatabase(join(config.dataDir, 'boot-server.sqlite'));
    stops.push(() => Promise.resolve(database.close()));
    const metrics = bootMetrics(components.metrics);
    const commits = groupCommit(database);
    const sightings = sightingStore(database, clock, commits);
    const leaseRows = leaseStore(database, commits);
    const stores: PolicyStores = {
      clock,
      entropy,
      log,
      database,
      leaseRows,
      lastPlans: bootStore(database, clock, { commits, log }),
      sightings,
      api,
      httpListen,
      subjects: subjectMemory(database, clock, commits),
      signingKeys: ({ dataDir, http: { signing } }) => loadSigningKeys({ ...signing, dataDir }),
      fetches: loaderFetches(clock),
      metrics,
    };
    const policy = currentPolicy(await createPolicy(stores, config));
    stops.push(() => Promise.resolve(policy.now.decisions.stop()));
    const events = api === undefined ? undefined : createBootEvents({ api, clock, log });
    const { decide, issuer, gate, nonces, seals, files, published } = policy;
    const peers = createPeers({ clock, log, metrics, seals, nonces, urls: () => policy.now.bases.slice(1) });
    const { plan6, leases6 } = policy.now;
    const imageCache =
      config.imageCache === undefined
        ? undefined
        : createImageCache({
            config: config.imageCache,
            directory: await openCacheDirectory(config.imageCache.directory ?? join(config.dataDir, 'images')),
            store: httpStoreClient(),
            lists: components.imageLists,
            clock,
            log,
            metrics,
            signal: components.signal,
          });
    if (imageCache !== undefined) {
      imageCache.start();
      stops.push(() => imageCache.stop());
      registerImageGauges(components.metrics, imageCache);
    }
    const artifacts = createArtifactStore({
      clock,
      log,
      files: localFiles(() => policy.now.roots),
      fetchRemote: imageCache === undefined ? fetchRemoteFile : cachedFetch(imageCache, fetchRemoteFile),
      memory: contentMemory(components.libc),
      maxBytes: config.artifacts.maxBytes,
      signal: components.signal,
    });
    stops.push(() => Promise.resolve(artifacts.close()));
    const uuidOf = (mac: string): string | undefined => sightings.find(mac)?.uuid;
    const macOf = (address: string): string | undefined => policy.now.holders.holderOf(address)?.mac;

    const give: GiveComponents = { log, metrics, gate, nonces, peers, inUse: new Set() };
    const configRoute: ConfigRouteComponents | undefined =
      api === undefined
        ? undefined
        : {
            ...give,
            api,
            get machine() {
              const { machine, api: apiConfig, partition } = policy.now.config;
              return {
                bootUrl: policy.now.bases[0],
                apiUrl: machine.apiUrl ?? apiConfig?.url ?? '',
                apiCaFile: apiConfig?.caFile,
                partition,
                debug: machine.debug,
                logging: null,
              };
            },
            network: policy.network,
          };
    const { v1 } = config.machine;
    if (config.http.v1Certs && v1 === undefined)
      throw new BootServerError(
        BootServerErrorCode.ConfigInvalid,
        'http.v1Certs: machine.v1 says what to give: write it',
      );
    const certsRoute: CertsRouteComponents | undefined =
      v1 === undefined || !config.http.v1Certs
        ? undefined
        : {
            ...give,
            get machine() {
              const { machine, partition } = policy.now.config;
              return { v1: machine.v1 ?? v1, partition, debug: machine.debug, bootUrl: policy.now.bases[0] };
            },
            network: policy.network,
          };
    const httpServer = await startHttpServer(
      {
        clock,
        log: log.child({ service: 'http' }),
        metrics,
        bodies: startBodySender({
          clock,
          log,
          libc: components.libc,
          engine: config.http.engine,
          limits: {
            idleTimeoutMs: HTTP_LIMITS.idleTimeoutMs,
            maxBytesPerSecondPerClient: config.http.maxBytesPerSecondPerClient,
          },
        }),
        images: imageCache === undefined ? undefined : { clock, log, metrics, cache: imageCache, macOf, uuidOf },
        script: {
          log,
          metrics,
          issuer,
          get bases() {
            return policy.now.bases;
          },
          bases6: plan6 && [plan6.httpUrl],
          basesTls: tls && [tls.url],
        },
        files: { clock, log, metrics, artifacts, fileUrls: files, published, uuidOf, macOf },
        config: configRoute,
        certs: certsRoute,
        used: { log, metrics, seals, nonces },
      },
      [...httpListen, ...(tls === undefined ? [] : [tls.listen])],
    );
    stops.push(() => httpServer.stop());
    // Whoever names interfaces for DHCP has an address or two on each; the kernel answers from the right one.
    const bootAddresses = config.dhcp.listen.length > 0 ? config.dhcp.listen : ['0.0.0.0'];
    const tftpServer = await startTftpServer(
      {
        network,
        clock,
        log,
        metrics,
        artifacts,
        published,
        get config() {
          return policy.now.config.tftp;
        },
        ...(tftpPath ?? {
          engine: nodeEngine({ network, clock, singlePort: config.tftp.singlePort }),
          pathMtu: ethernetMtu,
        }),
        uuidOf,
        macOf,
        quirksOf: (mac) => quirksOf({ mac, architectures: stores.subjects.find(mac)?.architectures ?? [] }),
      },
      [...(config.tftp.listen ?? bootAddresses), ...(plan6?.listen ?? [])],
    );
    stops.push(() => tftpServer.stop());
    const pxeServer = await startPxeServer(
      {
        network,
        log,
        metrics,
        sightings,
        decide,
        get serverAddress() {
          return policy.now.plan.serverAddress;
        },
      },
      config.pxe.listen ?? bootAddresses,
    );
    stops.push(() => pxeServer.stop());
    const startDhcp = (): Promise<UdpServer> =>
      startDhcpServer(
        {
          network,
          log,
          neighbours: components.neighbours ?? [],
          frames: components.frames,
          capture: components.capture,
          clock,
          metrics,
          isServed: (address) => findSubnet(policy.now.plan.subnets, ipv4ToNumber(address)) !== undefined,
          engine: createDhcpEngine({
            clock,
            log,
            metrics,
            decide,
            commits,
            probe: components.addressProbe,
            respond: policy.respond,
            whenUndecided: config.dhcp.whenUndecided,
            onBootRequest: (mac, uuid) => events?.report(mac, uuid),
          }),
        },
        policy.now.plan.listen,
      );
    let dhcpServer = await startDhcp();
    stops.push(() => dhcpServer.stop());

    if (plan6 !== undefined && leases6 !== undefined) {
      const dhcp6Server = await startDhcp6Server(
        {
          network,
          clock,
          log,
          metrics,
          respond: createDhcp6Responder({
            plan: plan6,
            serverDuid: serverDuid(database, () => entropy.bytes(16)),
            leases: leases6,
            sightings,
            mayAnswer: clientRate(clock),
          }),
          decide: (request) => {
            const decided = decide(request);
            const over = (made: BootDecision): BootDecision => overIpv6(made, policy.now.bases[0], plan6.httpUrl);
            return decided instanceof Promise ? decided.then(over) : over(decided);
          },
          onBootRequest: (mac, uuid) => events?.report(mac, uuid),
        },
        plan6,
      );
      stops.push(() => dhcp6Server.stop());
    }

    const adminServer = await startAdminServer(
      {
        log: log.child({ service: 'admin' }),
        routes: adminRoutes({
          clock,
          redactor: components.redactor,
          watch: machines,
          leases: leaseRows,
          subnets: () => policy.now.plan.subnets,
          simulate: (request) => simulateDry({ ...stores, config: policy.now.config }, request),
          reload: components.reload,
          ipv6: plan6 && { leases: lease6Store(database), subnets: plan6.subnets },
        }),
      },
      config.admin.socket ?? join(config.dataDir, 'admin.sock'),
    );
    stops.push(() => adminServer.stop());

    registerGauges(components.metrics, {
      leases: () => new Map([...policy.now.leases.counts(), ...(leases6?.counts() ?? [])]),
      tftpTransfers: () => tftpServer.transfers,
      artifactBytes: () => artifacts.heldBytes,
    });
    const forgetCheck = components.health.check('store', () => {
      database.prepare('SELECT count(*) FROM used_nonce').get();
      return { ok: true };
    });
    stops.push(() => Promise.resolve(forgetCheck()));
    await warnOfMissingBinaries({ ...policy.now, log, get: (uri) => artifacts.get(uri) });
    log.info(
      {
        event: 'listening',
        dhcp: [...config.dhcp.listen, ...(config.dhcp.interfaces ?? [])],
        http: config.http.listen,
        url: policy.now.bases[0],
        subnets: policy.now.plan.subnets.map(({ id, mode }) => `${id} ${mode}`),
      },
      'listening',
    );
    const reload = async (next: BootServerConfig): Promise<readonly string[]> => {
      const { config: wanted, changed } = withFixedSettings(policy.now.config, next);
      const before = policy.now;
      const after = await createPolicy(stores, wanted, before);
      policy.now = after;
      // Which of the own links is served without a relay, and beside whom, is the sockets' own business.
      if (JSON.stringify(after.plan.listen) !== JSON.stringify(before.plan.listen)) {
        await dhcpServer.stop();
        try {
          dhcpServer = await startDhcp();
        } catch (error) {
          policy.now = before;
          after.decisions.stop();
          dhcpServer = await startDhcp();
          throw error;
        }
      }
      before.decisions.stop();
      await warnOfMissingBinaries({ ...after, log, get: (uri) => artifacts.get(uri) });
      log.info({ event: 'reloaded', subnets: after.plan.subnets.map(({ id, mode }) => `${id} ${mode}`) }, 'reloaded');
      return changed;
    };
    return { httpPort: httpServer.ports[0] ?? httpListen[0].port, watch: machines, reload, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Better said now than to the first machine. */
async function warnOfMissingBinaries(components: {
  bootLoaders: PublishedFiles;
  binaries: readonly string[];
  log: Logger;
  get: (uri: string) => Promise<Disposable>;
}): Promise<void> {
  for (const file of components.binaries) {
    const found = components.bootLoaders.find(file);
    if (found === undefined) continue;
    try {
      const loaded = await components.get(found.uri);
      loaded[Symbol.dispose]();
    } catch (error) {
      components.log.error(
        { event: 'ipxe.missing', file, err: error },
        `machines that need ${file} will not boot: install Debian's ipxe, or see ipxe.directory`,
      );
    }
  }
}
