import type { SwitchAgentOptions } from './agent-options.ts';
import { isNotFound, isUnreachable, type DesiredSwitch } from './api.ts';
import type { LinkState } from './link-state.ts';
import { createBgpSessions } from './bgp-sessions.ts';
import { every } from './loop.ts';
import { createAgentMetrics } from './metrics.ts';
import type { PortNames } from './naming.ts';
import { machinesByPort, statesFor, wanted } from './desired.ts';
import { runPhoneHome } from './phone-home/phone-home.ts';
import { runPing } from './ping.ts';
import { waitForPortInit } from './port-init.ts';
import { watchPorts } from './port-watch.ts';
import { createCycleMetrics } from './reconcile/cycle-metrics.ts';
import { startReconcileLoop } from './reconcile/loop.ts';
import { createRegistrar } from './registrar.ts';
import { createStatusBoard } from './status/board.ts';
import { checkCabling } from './status/cabling.ts';
import type { SwitchStatus } from './status/status.ts';
import { renewToken } from './token/renew-token.ts';

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

/**
 * Starts the agent's loops: ports, registration, desired state, reconciling, heartbeat, ping, token and phone-home. They
 * share what they learn, and none waits for another: a hung Redis does not silence the heartbeat, nor an API out of reach
 * the ports, nor an FRR that hangs either of them.
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
    runPing({
      ping: (intervalMs) =>
        api.ping({ id: identity.id, startedAtMs, intervalMs, agentVersion: identity.agentVersion }, signal),
      onFailed: () => metrics.failed('ping'),
      clock,
      entropy,
      problems,
      signal,
    }),
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
