import type { Metrics } from '@ingot/daemon';
import type { LinkState } from './link-state.ts';
import { perPort } from './port-metric.ts';
import { type Cable, CABLE_STATES } from './status/cabling.ts';

/** What the agent counts. */
export interface AgentMetrics {
  beat(): void;
  registered(): void;
  failed(call: 'register' | 'heartbeat' | 'get' | 'ping' | 'phone-home' | 'token'): void;
  tokenExpires(atMs: number): void;
  phonedHome(calls: number): void;
  /** Of one reading of the LLDP table. */
  neighbors(count: number, cables: readonly Cable[]): void;
  portStates(states: ReadonlyMap<string, LinkState>): void;
}

export function createAgentMetrics(metrics: Metrics): AgentMetrics {
  const beats = metrics.counter({
    name: 'ingot_switch_agent_heartbeats_total',
    help: 'Heartbeats that the API has taken.',
  });
  const registrations = metrics.counter({
    name: 'ingot_switch_agent_registrations_total',
    help: 'Registrations that the API has taken.',
  });
  const homeCalls = metrics.counter({
    name: 'ingot_switch_agent_phone_homes_total',
    help: 'Calls of installed machines that the API has taken.',
  });
  const tokenExpiry = metrics.gauge({
    name: 'ingot_switch_agent_token_expires_timestamp_seconds',
    help: 'When the token of the agent ends.',
  });
  const neighbors = metrics.gauge({
    name: 'ingot_switch_agent_lldp_neighbors',
    help: 'Neighbours that LLDP shows.',
  });
  const cabling = metrics.gauge({
    name: 'ingot_switch_agent_cables',
    help: 'Ports with a machine, by whether LLDP shows the one that the API has there.',
    labels: ['state'],
  });
  const failures = metrics.counter({
    name: 'ingot_switch_agent_failures_total',
    help: 'Calls to the API that failed.',
    labels: ['call'],
  });
  const ports = metrics.gauge({
    name: 'ingot_switch_agent_ports',
    help: 'Ports by link state.',
    labels: ['state'],
  });
  const portUp = perPort(metrics, {
    name: 'ingot_switch_agent_port_up',
    help: 'Whether a port has link; none where that is not known.',
  });
  return {
    beat: () => beats.inc({}),
    registered: () => registrations.inc({}),
    failed: (call) => failures.inc({ call }),
    phonedHome: (calls) => homeCalls.inc({}, calls),
    tokenExpires: (atMs) => tokenExpiry.set({}, atMs / 1000),
    neighbors: (count, cables) => {
      neighbors.set({}, count);
      for (const state of CABLE_STATES) cabling.set({ state }, cables.filter((one) => one.state === state).length);
    },
    portStates: (states) => {
      portUp(
        new Map([...states].filter(([, state]) => state !== 'unknown').map(([nic, state]) => [nic, state === 'up'])),
      );
      const count: Record<LinkState, number> = { up: 0, down: 0, unknown: 0 };
      for (const state of states.values()) count[state] += 1;
      for (const state of ['up', 'down', 'unknown'] as const) ports.set({ state }, count[state]);
    },
  };
}
