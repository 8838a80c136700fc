import type { Health, Logger, Metrics } from '@ingot/daemon';
import { retrySchedule, withRetry, type Clock, type Entropy } from '@ingot/net';
import { isNotFound, isUnreachable, type DesiredSwitch, type Registration, type SwitchApi } from './api.ts';
import type { LinkState } from './link-state.ts';
import { type BgpSessionsOptions, createBgpSessions } from './bgp-sessions.ts';
import { every } from './loop.ts';
import { createAgentMetrics } from './metrics.ts';
import type { NamingSchema, PortNames } from './naming.ts';
import { machinesByPort, statesFor, wanted } from './desired.ts';
import { runPhoneHome } from './phone-home/phone-home.ts';
import { waitForPortInit } from './port-init.ts';
import { watchPorts } from './port-watch.ts';
import type { Problems } from './problems.ts';
import { createCycleMetrics } from './reconcile/cycle-metrics.ts';
import { startReconcileLoop } from './reconcile/loop.ts';
import type { Reconciler } from './reconcile/reconciler.ts';
import { createRegistrar } from './registrar.ts';
import type { SonicDb } from './sonic-db.ts';
import { createStatusBoard } from './status/board.ts';
import { checkCabling } from './status/cabling.ts';
import type { SwitchStatus } from './status/status.ts';
import { renewToken } from './token/renew-token.ts';
import type { TokenFile } from './token/token-file.ts';

/** What the agent knows of its switch before it has asked anybody. */
export type SwitchIdentity = Omit<Registration, 'ports'>;

export interface SwitchAgentOptions {
  readonly identity: SwitchIdentity;
  readonly namingSchema: NamingSchema;
  /** Whether a port, by its SONiC name, has link. Never rejects. */
  readonly linkState: (port: string) => Promise<LinkState>;
  readonly periodMs: number;
  readonly configDb: SonicDb;
  readonly appDb: SonicDb;
  readonly api: SwitchApi;
  /** Where the token is that `api` uses; absent: nobody renews it. */
  readonly tokenFile?: TokenFile;
  /** Ports that are not registered. */
  readonly leaveOut?: readonly string[];
  /** Makes the switch what the API wants; absent: nobody compares them. */
  readonly reconcile?: { readonly reconciler: Reconciler; readonly periodMs: number; readonly cycleMs: number };
  /** The BGP sessions of the switch; absent: nobody looks at them. */
  readonly bgp?: Pick<BgpSessionsOptions, 'read' | 'tellApi'> | undefined;
  readonly problems: Problems;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly status: (text: string) => void;
}

export interface SwitchAgent {
  /** The switch as the API last wanted it, undefined before its first answer. */
  readonly desired: DesiredSwitch | undefined;
  /** What it has done last, and how the switch is. */
  status(): SwitchStatus;
  /** Ends all loops; calls that are under way are aborted. */
  stop(): Promise<void>;
}

// Sessions that were not seen for so many heartbeats are not told any more.
const BGP_MAX_AGE_PERIODS = 6;
const PING_INTERVAL_MS = 5 * 60_000;
const FIRST_PING_RETRY_MS = 5000;
const LONGEST_PING_RETRY_MS = 60_000;

/**
 * Starts the agent's loops: ports, registration, desired state, reconciling, heartbeat and component ping. They share
 * what they learn, and none waits for another: a hung Redis does not silence the heartbeat, nor an API out of reach the ports, nor an FRR
 * that hangs either of them.
 */
export function startSwitchAgent(options: SwitchAgentOptions): SwitchAgent {
  const { identity, periodMs, api, clock, entropy, log, health, problems } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const metrics = createAgentMetrics(options.metrics);
  const startedAtMs = clock.now();

  const cycleMetrics = options.reconcile && createCycleMetrics(options.metrics, clock);
  const board = createStatusBoard({
    id: identity.id,
    agentVersion: identity.agentVersion,
    heartbeatMs: periodMs,
    clock,
    problems,
  });

  let names: PortNames | undefined;
  let desired: DesiredSwitch | undefined;
  let readMs = 0;
  let getMs = 0;

  const linkStates = async (ports: PortNames): Promise<ReadonlyMap<string, LinkState>> => {
    const states = await Promise.all(
      ports.ports.map(async ({ port, nicName }) => [nicName, await options.linkState(port)] as const),
    );
    return new Map(states);
  };

  /** Registering makes a switch that the API does not know; nobody could tell afterwards that it had been lost. */
  const noticeLoss = async (): Promise<void> => {
    if (options.reconcile === undefined) return;
    try {
      await api.get(identity.id, signal);
    } catch (error) {
      if (isUnreachable(error)) throw error;
      if (!isNotFound(error)) return;
      options.reconcile.reconciler.forget();
      desired = undefined;
    }
  };

  const registrar = createRegistrar({
    register: async (registration) => {
      await noticeLoss();
      return api.register(registration, signal);
    },
    registration: async () => {
      if (names === undefined) return undefined;
      const states = await linkStates(names);
      const ports = names.ports
        .filter(({ port }) => options.leaveOut?.includes(port) !== true)
        .map((port) => ({ ...port, state: states.get(port.nicName) ?? 'unknown' }) as const);
      return { ...identity, ports };
    },
    onRegistered: (answer, ports) => {
      desired = answer;
      reconciling?.wake();
      metrics.registered();
      board.registered();
      health.set('registered', { ok: true });
      options.status(`${identity.id} is registered with ${ports} ports`);
    },
    onFailed: () => metrics.failed('register'),
    clock,
    entropy,
    problems,
    log,
    signal,
  });

  const followPorts = async (): Promise<void> => {
    const initialised = await waitForPortInit({ appDb: options.appDb, clock, problems, log, signal });
    if (!initialised) return;
    await watchPorts({
      configDb: options.configDb,
      namingSchema: options.namingSchema,
      periodMs,
      clock,
      problems,
      signal,
      onRead: (durationMs) => {
        readMs = durationMs;
      },
      onPorts: (found) => {
        log.info({ ports: found.ports.length }, names === undefined ? 'read the ports' : 'the ports have changed');
        names = found;
        registrar.request();
        reconciling?.wake();
      },
    });
  };

  /** A call that failed: counted, said, and, when the API does not know the switch, answered by registering it. */
  const failed = (topic: 'heartbeat' | 'get', error: unknown): void => {
    if (signal.aborted) return;
    metrics.failed(topic);
    if (isNotFound(error)) {
      if (names !== undefined) registrar.request();
      // The next answer is that to a switch that it has never seen.
      options.reconcile?.reconciler.forget();
      const isFirst = desired === undefined;
      desired = undefined;
      // Before the first registration that is to be expected.
      if (isFirst) return;
    }
    problems.report(topic, error, { tellApi: topic !== 'heartbeat' && !isUnreachable(error) && !isNotFound(error) });
  };

  const fetchDesired = async (): Promise<void> => {
    const startedMs = clock.monotonic();
    try {
      const answer = await api.get(identity.id, signal);
      problems.clear('get');
      if (desired === undefined || JSON.stringify(answer) !== JSON.stringify(desired)) {
        log.info({ nics: answer.nics.length, wanted: wanted(answer) }, 'the desired state has changed');
        desired = answer;
        reconciling?.wake();
      }
    } catch (error) {
      failed('get', error);
    } finally {
      getMs = clock.monotonic() - startedMs;
    }
  };

  const heartbeat = async (): Promise<void> => {
    const startedMs = clock.monotonic();
    try {
      const known = names === undefined ? undefined : await linkStates(names);
      if (known !== undefined) {
        metrics.portStates(known);
        board.links(known);
      }
      const portStates = statesFor(desired, known);
      await api.heartbeat(
        {
          id: identity.id,
          durationMs: clock.monotonic() - startedMs + readMs + getMs,
          error: problems.summary(),
          portStates,
          bgpStates: names === undefined ? new Map() : (bgp?.of([...portStates.keys()], names) ?? new Map()),
        },
        signal,
      );
      problems.clear('heartbeat');
      metrics.beat();
      board.beat();
    } catch (error) {
      failed('heartbeat', error);
    }
  };

  const bgp =
    options.bgp && createBgpSessions({ ...options.bgp, maxAgeMs: BGP_MAX_AGE_PERIODS * periodMs, clock, problems });
  const lookAtBgp = async (): Promise<void> => {
    try {
      await bgp?.look(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };

  const ping = async (): Promise<void> => {
    try {
      await withRetry(
        () =>
          api.ping(
            { id: identity.id, startedAtMs, intervalMs: PING_INTERVAL_MS, agentVersion: identity.agentVersion },
            signal,
          ),
        {
          schedule: retrySchedule({ initialMs: FIRST_PING_RETRY_MS, maxMs: LONGEST_PING_RETRY_MS, entropy }),
          clock,
          signal,
          onRetry: ({ error }) => {
            metrics.failed('ping');
            problems.report('ping', error, { tellApi: !isUnreachable(error) });
          },
        },
      );
      problems.clear('ping');
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };

  const reconciling =
    options.reconcile === undefined
      ? undefined
      : startReconcileLoop({
          ...options.reconcile,
          known: () => ({ desired, names }),
          onCycle: (cycle) => {
            cycleMetrics?.(cycle);
            board.cycled(cycle);
          },
          clock,
          problems,
          signal,
        });

  const renewal =
    options.tokenFile &&
    renewToken({
      file: options.tokenFile,
      refresh: (until) => api.refreshToken(until),
      onExpiry: (atMs) => {
        metrics.tokenExpires(atMs);
        board.tokenExpires(atMs);
      },
      onFailed: () => metrics.failed('token'),
      clock,
      problems,
      log,
      signal,
    });
  const phoneHome = runPhoneHome({
    appDb: options.appDb,
    send: (calls, until) => api.phonedHome(calls, until),
    linkState: options.linkState,
    connected: () => machinesByPort(desired, names),
    onNeighbors: (neighbors) => {
      board.neighbors(neighbors);
      metrics.neighbors(neighbors.length, checkCabling(machinesByPort(desired, names), neighbors));
    },
    onSent: (calls) => metrics.phonedHome(calls),
    onFailed: () => metrics.failed('phone-home'),
    clock,
    problems,
    signal,
  });

  health.set('registered', { ok: false, reason: 'the switch is not registered yet' });
  const loops = Promise.all([
    followPorts(),
    registrar.ended,
    phoneHome,
    renewal,
    reconciling?.ended,
    every(clock, periodMs, signal, fetchDesired),
    every(clock, periodMs, signal, heartbeat),
    bgp && every(clock, periodMs, signal, lookAtBgp),
    every(clock, PING_INTERVAL_MS, signal, ping),
  ]);
  return {
    get desired() {
      return desired;
    },
    status: () => {
      const nics = names?.ports.map(({ nicName }) => nicName) ?? [];
      return board.status({
        desired,
        names,
        bgp: names === undefined ? new Map() : (bgp?.of(nics, names) ?? new Map()),
      });
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}
