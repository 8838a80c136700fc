import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { Clock, Entropy, FrameSocket, InterfaceWatch, Libc, Network } from '@ingot/net';
import type { Health, Logger, Metrics, Redactor, Reloaded, ReloadResult } from '@ingot/daemon';
import { adminRoutes } from './admin/routes.ts';
import { startAdminServer } from './admin/server.ts';
import type { BootApi } from './api/boot-api.ts';
import { createBootEvents } from './api/boot-events.ts';
import type { BootServerConfig } from './config.ts';
import { loaderFetches } from './decide/loader-fetches.ts';
import type { AddressProbe } from './dhcp/address-probe.ts';
import type { CaptureSockets } from './dhcp/capture.ts';
import type { Neighbour } from './dhcp/neighbours.ts';
import { serverAddressFor } from './dhcp/plan.ts';
import { clientRate } from './dhcpv6/client-rate.ts';
import { parseHttpListen } from './http/listen.ts';
import { loadSigningKeys } from './http/signing-key.ts';
import type { ImageLists } from './image-cache/lists.ts';
import { bootMetrics, registerGauges } from './metrics.ts';
import { isAtInterface, listenPlaces } from './listen/listen-place.ts';
import { createPolicy, type PolicyStores } from './policy.ts';
import { startPxeServer } from './pxe/server.ts';
import { currentPolicy } from './reload/current-policy.ts';
import { createReload } from './reload/reload.ts';
import { startDhcpService } from './services/dhcp.ts';
import { startFileService } from './services/files.ts';
import { startHttpService } from './services/http.ts';
import { warnOfMissingBinaries } from './services/missing-binaries.ts';
import { openStores, storeCheck } from './services/stores.ts';
import { startTftpService } from './services/tftp.ts';
import { simulateDry } from './simulate/dry-run.ts';
import { serverDuid } from './store/server-duid.ts';
import type { TftpPath } from './tftp/engine.ts';
import { traceLogger } from './timeline/traced-logger.ts';
import { watchMachines, type MachineWatch } from './timeline/watch.ts';

export interface BootServerComponents {
  readonly config: BootServerConfig;
  readonly network: Network;
  /** Has what listens at an interface follow it when it is made anew; undefined: HTTP does not. */
  readonly interfaces?: InterfaceWatch | undefined;
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
   * Goes on with another configuration; no transfer ends and no lease goes. Resolves to the settings that changed;
   * rejects with BootServerError, with all as it was, when it cannot.
   */
  reload(config: BootServerConfig): Promise<Reloaded>;
  /** Stops listening, ends transfers, closes the store. */
  stop(): Promise<void>;
}

/** Starts every service, or none: rejects with BootServerError CONFIG_INVALID, STORE_UNUSABLE or LISTEN_FAILED. */
export async function startBootServer(components: BootServerComponents): Promise<BootServer> {
  const { config, clock, entropy, api, tftpPath } = components;
  const machines = watchMachines(clock, components.metrics);
  const log = traceLogger(components.log, machines.timeline);
  const httpListen = parseHttpListen(config.http.listen);
  const isAt = isAtInterface(components.network);
  const stops: (() => Promise<void>)[] = [];
  const onStop = (each: () => Promise<void>): void => void stops.push(each);
  const stop = async (): Promise<void> => {
    // The last started first: nothing is answered out of a closed store.
    for (const each of stops.splice(0).toReversed()) await each();
  };
  if (tftpPath !== undefined) onStop(() => tftpPath.engine.stop());
  try {
    const metrics = bootMetrics(components.metrics);
    const stores = await openStores({ dataDir: config.dataDir, clock, log, onStop });
    const { database, commits, subjects, sightings, debugKeys } = stores;
    const policyStores: PolicyStores = {
      ...stores,
      clock,
      entropy,
      log,
      metrics,
      serverDuid: () => serverDuid(database, () => entropy.bytes(16)),
      mayAnswer6: clientRate(clock),
      api,
      httpListen,
      isAt,
      signingKeys: ({ dataDir, http: { signing } }) => loadSigningKeys({ ...signing, dataDir }),
      fetches: loaderFetches(clock),
    };
    const policy = currentPolicy(await createPolicy(policyStores, config));
    onStop(() => Promise.resolve(policy.now.decisions.stop()));
    const { artifacts, imageCache } = await startFileService({
      ...components,
      log,
      policy,
      metrics,
      registry: components.metrics,
      imageLists: components.imageLists,
      onStop,
    });
    const uuidOf = (mac: string): string | undefined => sightings.find(mac)?.uuid;
    const macOf = (address: string): string | undefined => policy.now.holders.holderOf(address)?.mac;
    const common = { ...components, log, metrics, policy, artifacts, imageCache, uuidOf, macOf, debugKeys };

    const httpServer = await startHttpService({ ...common, listen: httpListen });
    onStop(() => httpServer.stop());
    // Whoever names interfaces for DHCP has an address or two on each; the kernel answers from the right one.
    const bootAddresses = config.dhcp.listen.length > 0 ? config.dhcp.listen : ['0.0.0.0'];
    const tftpServer = await startTftpService({ ...common, subjects, bootAddresses });
    onStop(() => tftpServer.stop());
    const pxeServer = await startPxeServer(
      {
        ...common,
        sightings,
        decide: policy.decide,
        serverFor: (client) => serverAddressFor(policy.now.plan, client),
      },
      // PXE's port is IPv4's alone.
      listenPlaces(config.pxe.listen ?? bootAddresses).filter(({ address }) => isIPv4(address)),
    );
    onStop(() => pxeServer.stop());
    const dhcp = await startDhcpService({
      ...common,
      neighbours: components.neighbours ?? [],
      addressProbe: components.addressProbe,
      capture: components.capture,
      frames: components.frames,
      commits,
      sightings,
      events: api === undefined ? undefined : createBootEvents({ api, clock, log }),
    });
    onStop(() => dhcp.stop());

    const adminServer = await startAdminServer(
      {
        log: log.child({ service: 'admin' }),
        routes: adminRoutes({
          clock,
          redactor: components.redactor,
          watch: machines,
          debugKeys,
          leases: stores.leaseRows,
          subnets: () => policy.now.plan.subnets,
          simulate: (request) => {
            const { config: now, leases } = policy.now;
            return simulateDry({ ...policyStores, config: now, leaseMemory: leases.memory() }, request);
          },
          reload: components.reload,
          leases6: stores.lease6Rows,
          subnets6: () => policy.now.plan6?.subnets ?? [],
        }),
      },
      config.admin.socket ?? join(config.dataDir, 'admin.sock'),
    );
    onStop(() => adminServer.stop());

    registerGauges(components.metrics, {
      leases: () => new Map([...policy.now.leases.counts(), ...(policy.now.leases6?.counts() ?? [])]),
      tftpTransfers: () => tftpServer.transfers,
      artifactBytes: () => artifacts.heldBytes,
    });
    const forgetCheck = components.health.check('store', storeCheck(stores));
    onStop(() => Promise.resolve(forgetCheck()));
    await warnOfMissingBinaries({ ...policy.now, log, get: (uri, expected) => artifacts.get(uri, expected) });
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
    return {
      httpPort: httpServer.ports[0] ?? httpListen[0].port,
      watch: machines,
      reload: createReload({ policy, stores: policyStores, dhcp, http: httpServer, log, artifacts, imageCache }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
