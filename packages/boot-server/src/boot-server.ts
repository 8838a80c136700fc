import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Entropy, Libc, Network } from '@ingot/net';
import { parseIpv6 } from '@ingot/wire';
import { parseListenAddress, type Health, type Logger, type Metrics, type Redactor } from '@ingot/daemon';
import { adminRoutes } from './admin/routes.ts';
import { startAdminServer } from './admin/server.ts';
import { addressHolders } from './address-holders.ts';
import { createAdmission } from './admission.ts';
import type { BootApi } from './api/boot-api.ts';
import { createBootEvents } from './api/boot-events.ts';
import { contentMemory } from './artifacts/content.ts';
import { localFiles } from './artifacts/local-file.ts';
import { fetchRemoteFile } from './artifacts/remote-file.ts';
import { createArtifactStore } from './artifacts/store.ts';
import type { BootServerConfig } from './config.ts';
import { createBootDecisions } from './decide/boot-decisions.ts';
import type { ScriptSetting } from './decide/boot-steps.ts';
import type { BootDecision, DecisionConfig } from './decide/decision.ts';
import { createDhcpEngine } from './dhcp/engine.ts';
import { createLeaseEngine } from './dhcp/lease-engine.ts';
import { planDhcp } from './dhcp/plan.ts';
import { createDhcpResponder } from './dhcp/responder.ts';
import { startDhcpServer } from './dhcp/server.ts';
import { findSubnet, type Subnet } from './dhcp/subnets.ts';
import { clientRate } from './dhcpv6/client-rate.ts';
import { overIpv6 } from './dhcpv6/decide.ts';
import { createLease6Engine } from './dhcpv6/lease-engine.ts';
import { planDhcp6 } from './dhcpv6/plan.ts';
import { createDhcp6Responder } from './dhcpv6/responder.ts';
import { startDhcp6Server } from './dhcpv6/server.ts';
import { findSubnet6 } from './dhcpv6/subnets.ts';
import { BootServerError, BootServerErrorCode } from './errors.ts';
import { startBodySender } from './http/body/body-sender.ts';
import { HTTP_LIMITS } from './http/limits.ts';
import type { ConfigRouteComponents } from './http/config-route.ts';
import { startHttpServer, type HttpListen } from './http/server.ts';
import { numberOfIpv4 } from './ipv4.ts';
import { renderAutoexecScript } from './ipxe/script.ts';
import { cachedFetch } from './image-cache/cached-fetch.ts';
import { openCacheDirectory } from './image-cache/cache-directory.ts';
import { createImageCache } from './image-cache/image-cache.ts';
import type { ImageLists } from './image-cache/lists.ts';
import { httpStoreClient } from './image-cache/store-client.ts';
import { bootMetrics, registerGauges, registerImageGauges } from './metrics.ts';
import { publishedFiles } from './published-files.ts';
import { startPxeServer } from './pxe/server.ts';
import { openDatabase } from './store/database.ts';
import { groupCommit } from './store/group-commit.ts';
import { leaseStore } from './store/leases.ts';
import { lease6Store, serverDuid } from './store/leases6.ts';
import { lockDataDir } from './store/lock.ts';
import { nonceStore } from './store/nonces.ts';
import { sightingStore } from './store/sightings.ts';
import { nodeEngine } from './tftp/node-engine.ts';
import { ethernetMtu } from './tftp/path-mtu.ts';
import { startTftpServer, type TftpPath } from './tftp/server.ts';
import { traceLogger } from './timeline/traced-logger.ts';
import { watchMachines } from './timeline/watch.ts';

export interface BootServerComponents {
  readonly config: BootServerConfig;
  readonly network: Network;
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
}

export interface BootServer {
  /** Of the HTTP server: the real one when 0 was configured. */
  readonly httpPort: number;
  /** Reads the files with profiles again; a wrong one is logged, and changes nothing. */
  reload(): Promise<void>;
  /** Stops listening, ends transfers, closes the store. */
  stop(): Promise<void>;
}

/** Starts every service, or none: rejects with BootServerError CONFIG_INVALID, STORE_UNUSABLE or LISTEN_FAILED. */
export async function startBootServer(components: BootServerComponents): Promise<BootServer> {
  const { config, network, clock, entropy, api, tftpPath } = components;
  const machines = watchMachines(clock, components.metrics);
  const log = traceLogger(components.log, machines.timeline);
  const plan = planDhcp(config);
  const httpListen = parseHttpListen(config.http.listen);
  const httpUrl = withoutSlash(config.http.url ?? `http://${config.advertiseAddress}:${httpListen[0].port}`);

  const plan6 = config.dhcp6 === undefined ? undefined : planDhcp6(config.dhcp6, httpListen);

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
    const leaseRows = leaseStore(database);
    const leases = createLeaseEngine({ clock, store: leaseRows, subnets: plan.subnets });
    const nonces = nonceStore(database, { clock, entropy, lifetimeMs: config.boot.nonceMinutes * 60_000 });
    const events = api === undefined ? undefined : createBootEvents({ api, clock, log });
    const leases6 = plan6 && createLease6Engine({ clock, store: lease6Store(database), subnets: plan6.subnets });
    const holders = addressHolders(leases, leases6);
    const gate = createAdmission({ clock, sightings, holders, seenWithinMs: config.boot.seenWithinMinutes * 60_000 });
    const decision: DecisionConfig = { httpUrl, binaries: config.ipxe.files };
    const decisions = await createBootDecisions({ config, database, commits, clock, log, api, gate, nonces, decision });
    const { decide, issuer } = decisions;
    stops.push(() => Promise.resolve(decisions.stop()));
    const bases: ScriptSetting['bases'] = [httpUrl, ...config.boot.peers.map(withoutSlash)];
    const binaries = Object.values(config.ipxe.files).filter((file) => file !== undefined);
    const published = publishedFiles({ directory: config.ipxe.directory, binaries, root: config.tftp.root });
    // Debian's iPXE package links from its folder into /boot: what the operator names there is meant to be served.
    const roots = [
      config.ipxe.directory,
      ...config.artifacts.roots,
      ...(config.tftp.root === undefined ? [] : [config.tftp.root]),
    ];
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
      files: localFiles(roots),
      fetchRemote: imageCache === undefined ? fetchRemoteFile : cachedFetch(imageCache, fetchRemoteFile),
      memory: contentMemory(components.libc),
      maxBytes: config.artifacts.maxBytes,
      signal: components.signal,
    });
    stops.push(() => Promise.resolve(artifacts.close()));
    const serverAddress = plan.serverAddress;
    const findNetwork = (address: string): Pick<Subnet, 'ntpServers' | 'dnsServers'> | undefined => {
      const ipv6 = parseIpv6(address);
      if (ipv6.ok) return findSubnet6(plan6?.subnets ?? [], ipv6.value);
      return findSubnet(plan.subnets, numberOfIpv4(address) ?? 0);
    };
    const uuidOf = (mac: string): string | undefined => sightings.find(mac)?.uuid;
    const macOf = (address: string): string | undefined => holders.holderOf(address)?.mac;

    const configRoute: ConfigRouteComponents | undefined =
      api === undefined
        ? undefined
        : {
            log,
            metrics,
            gate,
            nonces,
            api,
            machine: {
              apiUrl: config.machine.apiUrl ?? config.api?.url ?? '',
              apiCaFile: config.api?.caFile,
              partition: config.partition,
              debug: config.machine.debug,
              logging: null,
            },
            network: (address) => {
              const subnet = findNetwork(address);
              const { ntpServers, dnsServers } = config.machine;
              return {
                ntpServers: ntpServers.length > 0 ? ntpServers : (subnet?.ntpServers ?? []),
                dnsServers: dnsServers.length > 0 ? dnsServers : (subnet?.dnsServers ?? []),
              };
            },
            inUse: new Set(),
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
        script: { log, metrics, issuer, bases, bases6: plan6 && [plan6.httpUrl] },
        files: { clock, log, metrics, artifacts, locate: issuer.locate, published, uuidOf },
        config: configRoute,
      },
      httpListen,
    );
    stops.push(() => httpServer.stop());
    const tftpServer = await startTftpServer(
      {
        network,
        clock,
        log,
        metrics,
        artifacts,
        published,
        config: config.tftp,
        ...(tftpPath ?? {
          engine: nodeEngine({ network, clock, singlePort: config.tftp.singlePort }),
          pathMtu: ethernetMtu,
        }),
        autoexecScript: renderAutoexecScript(httpUrl),
        uuidOf,
        macOf,
      },
      [...(config.tftp.listen ?? config.dhcp.listen), ...(plan6?.listen ?? [])],
    );
    stops.push(() => tftpServer.stop());
    const pxeServer = await startPxeServer(
      { network, log, metrics, sightings, decide, serverAddress },
      config.pxe.listen ?? config.dhcp.listen,
    );
    stops.push(() => pxeServer.stop());
    const dhcpEngine = createDhcpEngine({
      clock,
      log,
      metrics,
      respond: createDhcpResponder({ ...plan, leases, sightings }),
      decide,
      whenUndecided: config.dhcp.whenUndecided,
      commits,
      onBootRequest: (mac, uuid) => events?.report(mac, uuid),
    });
    const dhcpServer = await startDhcpServer({ network, log, engine: dhcpEngine }, plan.listen);
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
            const over = (made: BootDecision): BootDecision => overIpv6(made, httpUrl, plan6.httpUrl);
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
          subnets: () => plan.subnets,
        }),
      },
      config.admin.socket ?? join(config.dataDir, 'admin.sock'),
    );
    stops.push(() => adminServer.stop());

    registerGauges(components.metrics, {
      leases: () => new Map([...leases.counts(), ...(leases6?.counts() ?? [])]),
      tftpTransfers: () => tftpServer.transfers,
      artifactBytes: () => artifacts.heldBytes,
    });
    const forgetCheck = components.health.check('store', () => {
      database.prepare('SELECT count(*) FROM nonce').get();
      return { ok: true };
    });
    stops.push(() => Promise.resolve(forgetCheck()));
    await warnOfMissingBinaries({ published, binaries, log, get: (uri) => artifacts.get(uri) });
    log.info(
      {
        event: 'listening',
        dhcp: config.dhcp.listen,
        http: config.http.listen,
        url: httpUrl,
        subnets: plan.subnets.map(({ id, mode }) => `${id} ${mode}`),
      },
      'listening',
    );
    return { httpPort: httpServer.ports[0] ?? httpListen[0].port, reload: () => decisions.reload(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function parseHttpListen(listen: string | readonly string[]): [HttpListen, ...HttpListen[]] {
  const [first, ...rest] = [listen].flat().map((text) => {
    const parsed = parseListenAddress(text);
    if (parsed?.kind === 'tcp') return { address: parsed.address, port: parsed.port };
    throw new BootServerError(
      BootServerErrorCode.ConfigInvalid,
      'http.listen: machines cannot reach a unix socket: write address:port',
    );
  });
  if (first === undefined) throw new BootServerError(BootServerErrorCode.ConfigInvalid, 'http.listen names no address');
  return [first, ...rest];
}

/** Better said now than to the first machine. */
async function warnOfMissingBinaries(components: {
  published: ReturnType<typeof publishedFiles>;
  binaries: readonly string[];
  log: Logger;
  get: (uri: string) => Promise<Disposable>;
}): Promise<void> {
  for (const file of components.binaries) {
    const found = components.published.find(file);
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
