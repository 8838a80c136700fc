import type { Clock, Libc } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootApi } from '../api/boot-api.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { BootServerConfig } from '../config.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { startBodySender } from '../http/body/body-sender.ts';
import type { CertsRouteComponents } from '../http/certs-route.ts';
import type { ConfigRouteComponents } from '../http/config-route.ts';
import type { GiveComponents } from '../http/give-once.ts';
import { HTTP_LIMITS } from '../http/limits.ts';
import { planTls } from '../http/listen.ts';
import { createPeers } from '../http/peers.ts';
import { basesFor, type ScriptRouteComponents } from '../http/script-route.ts';
import { startHttpServer, type HttpListen, type HttpServer } from '../http/server.ts';
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
  readonly api: BootApi | undefined;
  readonly artifacts: ArtifactStore;
  readonly imageCache: ImageCache | undefined;
  readonly macOf: (address: string) => string | undefined;
  readonly uuidOf: (mac: string) => string | undefined;
}

/** HTTP as the configuration has it. Rejects with BootServerError LISTEN_FAILED or CONFIG_INVALID. */
export async function startHttpService(components: HttpServiceComponents): Promise<HttpServer> {
  const { config, policy, clock, log, metrics, imageCache, artifacts, uuidOf, macOf } = components;
  const { issuer, gate, nonces, seals, files, published } = policy;
  const tls = planTls(config);
  const script: ScriptRouteComponents = {
    log,
    metrics,
    issuer,
    get bases() {
      return policy.now.bases;
    },
    get bases6() {
      return policy.now.bases6;
    },
    basesTls: tls && [tls.url],
  };
  return startHttpServer(
    {
      clock,
      log: log.child({ service: 'http' }),
      metrics,
      libc: components.libc,
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
      script,
      files: { clock, log, metrics, artifacts, fileUrls: files, published, uuidOf, macOf },
      ...givingRoutes(components, script),
      used: { log, metrics, seals, nonces },
      agent: { log, metrics, gate, seals, nonces },
    },
    [...components.listen, ...(tls?.listen ?? [])],
  );
}

/** What gives machines their configurations, in the shapes that are configured. */
function givingRoutes(
  { config, policy, clock, log, metrics, api }: HttpServiceComponents,
  script: ScriptRouteComponents,
): {
  readonly config: ConfigRouteComponents | undefined;
  readonly certs: CertsRouteComponents | undefined;
} {
  const { gate, nonces, seals } = policy;
  const peers = createPeers({ clock, log, metrics, seals, nonces, urls: () => policy.now.peers });
  const give: GiveComponents = { log, metrics, gate, nonces, peers, inUse: new Set() };
  const { v1 } = config.machine;
  if (config.http.v1Certs && v1 === undefined)
    throw new BootServerError(
      BootServerErrorCode.ConfigInvalid,
      'http.v1Certs: machine.v1 says what to give: write it',
    );
  return {
    config:
      api === undefined
        ? undefined
        : {
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
            network: policy.network,
          },
    certs:
      v1 === undefined || !config.http.v1Certs
        ? undefined
        : {
            ...give,
            get machine() {
              const { machine, partition } = policy.now.config;
              return { v1: machine.v1 ?? v1, partition, debug: machine.debug, bootUrl: policy.now.bases[0] };
            },
            network: policy.network,
          },
  };
}
