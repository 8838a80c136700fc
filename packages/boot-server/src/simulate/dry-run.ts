import { join } from 'node:path';
import { nodeNetwork, systemClock, systemEntropy, type Clock, type Entropy } from '@ingot/net';
import type { BootApi } from '../api/boot-api.ts';
import { grpcBootApi } from '../api/grpc-boot-api.ts';
import type { BootServerConfig } from '../config.ts';
import { forgottenDebugKeys } from '../debug-key/debug-keys.ts';
import { loaderFetches } from '../decide/loader-fetches.ts';
import type { LeaseMemory } from '../dhcp/lease-engine.ts';
import { subjectMemory } from '../decide/subject-memory.ts';
import { parseHttpListen, type HttpListen } from '../http/listen.ts';
import { KEY_BYTES } from '../http/seals.ts';
import { createPolicy } from '../policy.ts';
import { dryDatabase } from '../store/dry.ts';
import { bootStore } from '../store/boots.ts';
import { isAtInterface } from '../listen/listen-place.ts';
import { leaseStore } from '../store/leases.ts';
import { lease6Store } from '../store/leases6.ts';
import { serverDuid } from '../store/server-duid.ts';
import { sightingStore } from '../store/sightings.ts';
import { collectingLogger } from './collecting-logger.ts';
import { simulate } from './simulate.ts';
import type { SimulateAnswer, SimulateRequest } from './wire.ts';

interface DryRunComponents {
  readonly config: BootServerConfig;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Asked what to boot, and for nothing else. */
  readonly api: BootApi | undefined;
  readonly httpListen: readonly [HttpListen, ...HttpListen[]];
  /** Whether an interface of this host has an address. */
  readonly isAt: (name: string, address: string) => boolean;
  /** Of the running server: what it has offered is nobody else's. */
  readonly leaseMemory?: LeaseMemory;
}

/** Answers out of a copy of what the server knows; the server itself and its files stay as they are. */
export async function simulateDry(components: DryRunComponents, request: SimulateRequest): Promise<SimulateAnswer> {
  const { config, clock, entropy, api, httpListen, isAt, leaseMemory } = components;
  const database = dryDatabase(join(config.dataDir, 'boot-server.sqlite'));
  const log = collectingLogger();
  const sightings = sightingStore(database, clock);
  try {
    const policy = await createPolicy(
      {
        clock,
        entropy,
        log,
        database,
        leaseRows: leaseStore(database),
        ...(leaseMemory === undefined ? {} : { leaseMemory }),
        lease6Rows: lease6Store(database),
        serverDuid: () => serverDuid(database, () => entropy.bytes(16)),
        mayAnswer6: () => true,
        lastPlans: bootStore(database, clock),
        sightings,
        api,
        httpListen,
        isAt,
        subjects: subjectMemory(database),
        // Nobody follows the URLs of a simulation: the server's own key is not for them.
        signingKeys: () => Promise.resolve([entropy.bytes(KEY_BYTES)]),
        fetches: loaderFetches(clock),
        debugKeys: forgottenDebugKeys(),
      },
      config,
    );
    try {
      // Of making the policy, not of the machine.
      log.take();
      return await simulate({ policy, sightings, log, clock }, request);
    } finally {
      policy.decisions.stop();
    }
  } finally {
    database.close();
  }
}

/** The same for a configuration without a running server. Rejects with BootServerError. */
export async function simulateConfig(config: BootServerConfig, request: SimulateRequest): Promise<SimulateAnswer> {
  const { partition, api: apiConfig } = config;
  const { signal } = new AbortController();
  const api = apiConfig === undefined ? undefined : grpcBootApi({ ...apiConfig, partition, signal });
  try {
    const httpListen = parseHttpListen(config.http.listen);
    const isAt = isAtInterface(nodeNetwork());
    return await simulateDry({ config, clock: systemClock, entropy: systemEntropy, api, httpListen, isAt }, request);
  } finally {
    await api?.close();
  }
}
