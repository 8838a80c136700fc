import type { SwitchAgentOptions } from './agent-options.ts';
import type { DesiredSwitch } from './api.ts';
import { createBgpSessions } from './bgp-sessions.ts';
import { followPorts } from './known-ports.ts';
import { every } from './loop.ts';
import { createAgentMetrics } from './metrics.ts';
import { machinesByPort } from './desired.ts';
import { createDesiredState } from './desired-state.ts';
import { sendHeartbeat } from './heartbeat.ts';
import { runPhoneHome } from './phone-home/phone-home.ts';
import { runPing } from './ping.ts';
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

  const desired = createDesiredState({
    id: identity.id,
    api,
    onChange: () => reconciling?.wake(),
    onLost: () => options.reconcile?.reconciler.forget(),
    register: () => {
      if (ports.names !== undefined) registrar.request();
    },
    clock,
    metrics,
    problems,
    log,
    signal,
  });

  const registrar = createRegistrar({
    register: async (registration) => {
      if (options.reconcile !== undefined) await desired.noticeLoss();
      return api.register(registration, signal);
    },
    registration: async () => {
      const { names } = ports;
      const links = await ports.links();
      if (names === undefined || links === undefined) return undefined;
      const registered = names.ports
        .filter(({ port }) => options.leaveOut?.includes(port) !== true)
        .map((port) => ({ ...port, state: links.get(port.nicName) ?? 'unknown' }) as const);
      return { ...identity, ports: registered };
    },
    onRegistered: (answer, count) => {
      desired.registered(answer);
      metrics.registered();
      board.registered();
      health.set('registered', { ok: true });
      options.status(`${identity.id} is registered with ${count} ports`);
    },
    onFailed: () => metrics.failed('register'),
    clock,
    entropy,
    problems,
    log,
    signal,
  });

  const ports = followPorts({
    configDb: options.configDb,
    appDb: options.appDb,
    namingSchema: options.namingSchema,
    linkState: options.linkState,
    periodMs,
    onChange: () => {
      registrar.request();
      reconciling?.wake();
    },
    clock,
    problems,
    log,
    signal,
  });

  const bgp =
    options.bgp && createBgpSessions({ ...options.bgp, maxAgeMs: BGP_MAX_AGE_PERIODS * periodMs, clock, problems });
  const lookAtBgp = async (): Promise<void> => {
    try {
      await bgp?.look(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };

  const heartbeat = (): Promise<void> =>
    sendHeartbeat({
      id: identity.id,
      api,
      desired,
      ports,
      bgp,
      clock,
      metrics,
      board,
      problems,
      signal,
    });

  const reconciling =
    options.reconcile === undefined
      ? undefined
      : startReconcileLoop({
          ...options.reconcile,
          known: () => ({ desired: desired.now, names: ports.names }),
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
    connected: () => machinesByPort(desired.now, ports.names),
    onNeighbors: (neighbors) => {
      board.neighbors(neighbors);
      metrics.neighbors(neighbors.length, checkCabling(machinesByPort(desired.now, ports.names), neighbors));
    },
    onSent: (calls) => metrics.phonedHome(calls),
    onFailed: () => metrics.failed('phone-home'),
    clock,
    problems,
    signal,
  });

  health.set('registered', { ok: false, reason: 'the switch is not registered yet' });
  const loops = Promise.all([
    ports.ended,
    registrar.ended,
    phoneHome,
    renewal,
    reconciling?.ended,
    every(clock, periodMs, signal, () => desired.fetch()),
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
      return desired.now;
    },
    status: () => {
      const { names } = ports;
      const nics = names?.ports.map(({ nicName }) => nicName) ?? [];
      return board.status({
        desired: desired.now,
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
