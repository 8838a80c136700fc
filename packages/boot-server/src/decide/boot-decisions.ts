import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { AdmissionGate } from '../admission/admission.ts';
import type { BootApi } from '../api/boot-api.ts';
import type { BootServerConfig } from '../config.ts';
import type { DebugKeys } from '../debug-key/debug-keys.ts';
import { SOURCE_NAMES, type SourceName } from '../config/boot.ts';
import { configInvalid } from '../errors.ts';
import { apiSource } from '../sources/api-source.ts';
import { cachedSource } from '../sources/cached-source.ts';
import { httpSource } from '../sources/http-source.ts';
import { loadProfiles } from '../sources/profile-source.ts';
import type { FileUrls } from '../http/file-urls.ts';
import type { BootStore } from '../store/boots.ts';
import type { NonceStore } from '../store/nonces.ts';
import { createBootDecider, type BootDecider } from './boot-decider.ts';
import { createBootIssuer, type BootIssuer } from './boot-issuer.ts';
import type { BootSource } from './boot-plan.ts';
import { createBootPlanner } from './boot-planner.ts';
import type { DecisionConfig } from './decision.ts';
import type { LoaderFetches } from './loader-fetches.ts';
import { serialConsole } from './serial-console.ts';
import type { SubjectMemory } from './subject-memory.ts';

export interface BootDecisionsComponents {
  readonly lastPlans: BootStore;
  readonly config: Pick<BootServerConfig, 'agent' | 'api' | 'boot' | 'http' | 'ipxe' | 'sources'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly api: BootApi | undefined;
  readonly gate: AdmissionGate;
  readonly nonces: NonceStore;
  readonly decision: DecisionConfig;
  readonly subjects: SubjectMemory;
  readonly files: FileUrls;
  readonly fetches: LoaderFetches;
  readonly debugKeys: Pick<DebugKeys, 'issue'>;
  /** Folders out of which files are served. */
  readonly roots: readonly string[];
}

/** What every machine boots, and how each of its stages is told. */
export interface BootDecisions {
  /** For DHCP and PXE. */
  readonly decide: BootDecider;
  /** For boot loaders. */
  readonly issuer: BootIssuer;
  readonly fetches: LoaderFetches;
  stop(): void;
}

/** Puts the chain of sources together, as the configuration orders it. Rejects with BootServerError CONFIG_INVALID. */
export async function createBootDecisions(components: BootDecisionsComponents): Promise<BootDecisions> {
  const { config, lastPlans, clock, log, api, gate, nonces, decision, subjects, files, fetches } = components;
  const cached = (source: BootSource, partitionWide: boolean): BootSource =>
    cachedSource({ source, store: lastPlans, clock, log, partitionWide });
  const { http, profiles } = config.sources;
  const profileChain =
    profiles === undefined ? undefined : await loadProfiles(profiles, { log, roots: components.roots });
  const httpChain = http === undefined ? undefined : httpSource(http, clock);
  const configured: Readonly<Record<SourceName, BootSource | undefined>> = {
    profiles: profileChain,
    http: httpChain === undefined ? undefined : cached(httpChain, false),
    api: api === undefined ? undefined : cached(apiSource(api), true),
  };
  const planner = createBootPlanner(chainOf(config.boot.sources, configured));
  return {
    decide: createBootDecider({ planner, decision, subjects, fetches, chainRoms: config.ipxe.chainRoms, log }),
    issuer: createBootIssuer({
      gate,
      planner,
      subjects,
      nonces,
      files,
      debugKeys: config.agent.sshDebug ? components.debugKeys : undefined,
      console: serialConsole(config.boot.console),
      configs: config.http.v1Certs ? 'v1' : api === undefined ? undefined : 'v2',
    }),
    fetches,
    stop: () => httpChain?.close(),
  };
}

function chainOf(
  order: readonly SourceName[] | undefined,
  configured: Readonly<Record<SourceName, BootSource | undefined>>,
): BootSource[] {
  const chain = (order ?? SOURCE_NAMES).flatMap((name) => {
    const source = configured[name];
    if (source === undefined && order !== undefined) {
      const where = name === 'api' ? 'api' : `sources.${name}`;
      throw configInvalid(`boot.sources names ${name}, which is not configured: write ${where}, or leave it out`);
    }
    return source === undefined ? [] : [source];
  });
  if (chain.length > 0) return chain;
  throw configInvalid('nothing says what machines boot: write api, sources.profiles or sources.http');
}
