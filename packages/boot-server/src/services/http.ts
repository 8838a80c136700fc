import type { Clock, InterfaceWatch, Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootApi } from '../api/boot-api.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { BootServerConfig } from '../config.ts';
import type { DebugKeys } from '../debug-key/debug-keys.ts';
import { startBodySender } from '../http/body/body-sender.ts';
import type { CertsRouteComponents } from '../http/certs-route.ts';
import type { ConfigRouteComponents } from '../http/config-route.ts';
import type { GiveComponents } from '../http/give-once.ts';
import { HTTP_LIMITS } from '../http/limits.ts';
import { planTls, type HttpListen } from '../http/listen.ts';
import { createPeers } from '../http/peers.ts';
import { basesFor, type ScriptRouteComponents } from '../http/script-route.ts';
import { startHttpServer, type HttpServer } from '../http/server.ts';
import type { ImageCache } from '../image-cache/image-cache.ts';
import type { BootMetrics } from '../metrics.ts';
import type { CurrentPolicy } from '../reload/current-policy.ts';

export interface HttpServiceComponents {
  /** That of the start, which the sockets and threads are made after. */
  readonly config: BootServerConfig;
  readonly policy: CurrentPolicy;
  readonly listen: readonly HttpListen[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly libc: Libc | undefined;
  readonly interfaces?: InterfaceWatch | undefined;
  readonly api: BootApi | undefined;
  readonly artifacts: ArtifactStore;
  readonly imageCache: ImageCache | undefined;
  readonly macOf: (address: string) => string | undefined;
  readonly uuidOf: (mac: string) => string | undefined;
  readonly debugKeys: Pick<DebugKeys, 'pinHost'>;
}

export interface HttpService extends HttpServer {
  /** Goes on with what the policy of now says. */
  follow(): Promise<void>;
}

/** HTTP as the configuration has it. Rejects with BootServerError LISTEN_FAILED or CONFIG_INVALID. */
export async function startHttpService(components: HttpServiceComponents): Promise<HttpService> {
  const { config, policy, clock, log, metrics, imageCache, artifacts, uuidOf, macOf, debugKeys } = components;
  const { issuer, gate, nonces, seals, files, published } = policy;
  const tls = planTls(config);
  const script: ScriptRouteComponents = {
    log,
    metrics,
    issuer,
    basesOf: (source) => policy.now.basesOf(source),
    get basesTls(): ScriptRouteComponents['basesTls'] {
      const now = planTls(policy.now.config);
      return now && [now.url];
    },
  };
  const routes = givingRoutes(components, script);
  const bodies = startBodySender({
    clock,
    log,
    libc: components.libc,
    engine: config.http.engine,
    limits: {
      idleTimeoutMs: HTTP_LIMITS.idleTimeoutMs,
      maxBytesPerSecondPerClient: config.http.maxBytesPerSecondPerClient,
    },
  });
  const server = await startHttpServer(
    {
      clock,
      log: log.child({ service: 'http' }),
      metrics,
      libc: components.libc,
      interfaces: components.interfaces,
      bodies,
      images: imageCache === undefined ? undefined : { clock, log, metrics, cache: imageCache, macOf, uuidOf },
      script,
      files: { clock, log, metrics, artifacts, fileUrls: files, published, uuidOf, macOf },
      get config() {
        return routes.config();
      },
      get certs() {
        return routes.certs();
      },
      used: { log, metrics, seals, nonces },
      agent: { log, metrics, gate, seals, nonces, debugKeys },
    },
    [...components.listen, ...(tls?.listen ?? [])],
  );
  const follow = async (): Promise<void> => {
    bodies.setRate(policy.now.config.http.maxBytesPerSecondPerClient);
    await server.renew();
  };
  return { ...server, follow };
}

/** What gives machines their configurations, in the shapes that are configured at the moment. */
function givingRoutes(
  { policy, clock, log, metrics, api, macOf }: HttpServiceComponents,
  script: ScriptRouteComponents,
): {
  readonly config: () => ConfigRouteComponents | undefined;
  readonly certs: () => CertsRouteComponents | undefined;
} {
  const { gate, nonces, seals, network } = policy;
  const peers = createPeers({ clock, log, metrics, seals, urls: () => policy.now.peers });
  const give: GiveComponents = { log, metrics, gate, nonces, peers, inUse: new Set() };
  return {
    config: () => {
      if (api === undefined) return undefined;
      return {
        ...give,
        seals,
        baseFor: (request) => basesFor(script, request)[0],
        api,
        machine: () => {
          const { machine, agent, api: apiConfig, partition } = policy.now.config;
          return {
            apiUrl: machine.apiUrl ?? apiConfig?.url ?? '',
            apiCaFile: apiConfig?.caFile,
            partition,
            debug: machine.debug,
            agent,
          };
        },
        network,
      };
    },
    certs: () => {
      const { machine, partition, http } = policy.now.config;
      const { v1, debug } = machine;
      if (v1 === undefined || !http.v1Certs) return undefined;
      return { ...give, macOf, machine: { v1, partition, debug, bootUrl: policy.now.bases[0] }, network };
    },
  };
}
