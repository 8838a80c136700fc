import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { AdmissionGate } from '../admission.ts';
import type { BootApi } from '../api/boot-api.ts';
import type { BootServerConfig } from '../config.ts';
import { apiSource } from '../sources/api-source.ts';
import { cachedSource } from '../sources/cached-source.ts';
import { bootStore } from '../store/boots.ts';
import type { NonceStore } from '../store/nonces.ts';
import { createBootDecider, type BootDecider } from './boot-decider.ts';
import { bootFiles } from './boot-files.ts';
import { createBootIssuer, type BootIssuer } from './boot-issuer.ts';
import { createBootPlanner } from './boot-planner.ts';
import type { DecisionConfig } from './decision.ts';
import { loaderFetches, type LoaderFetches } from './loader-fetches.ts';
import { subjectMemory } from './subject-memory.ts';

export interface BootDecisionsComponents {
  readonly config: Pick<BootServerConfig, 'boot' | 'ipxe'>;
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly log: Logger;
  readonly api: BootApi;
  readonly gate: AdmissionGate;
  readonly nonces: NonceStore;
  readonly decision: DecisionConfig;
}

/** What every machine boots, and how each of its stages is told. */
export interface BootDecisions {
  /** For DHCP and PXE. */
  readonly decide: BootDecider;
  /** For boot loaders. */
  readonly issuer: BootIssuer;
  readonly fetches: LoaderFetches;
}

/** Puts the chain of sources together, as the configuration orders it. */
export function createBootDecisions(components: BootDecisionsComponents): BootDecisions {
  const { database, clock, log, api, gate, nonces, decision } = components;
  const store = bootStore(database, clock);
  const subjects = subjectMemory(database, clock);
  const fetches = loaderFetches(clock);
  const planner = createBootPlanner([cachedSource({ source: apiSource(api), store, clock, log, partitionWide: true })]);
  const files = bootFiles();
  return {
    decide: createBootDecider({ planner, decision, subjects, fetches, chainRoms: false, log }),
    issuer: createBootIssuer({
      gate,
      planner,
      subjects,
      nonces,
      files,
      givesConfigs: true,
    }),
    fetches,
  };
}
