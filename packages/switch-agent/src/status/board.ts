import type { Clock } from '@ingot/net';
import type { DesiredSwitch } from '../api.ts';
import { machinesByPort } from '../desired.ts';
import type { BgpNeighbor } from '../frr/neighbors.ts';
import type { LinkState } from '../link-state.ts';
import type { PortNames } from '../naming.ts';
import type { LldpNeighbor } from '../phone-home/lldp-neighbors.ts';
import type { Problems } from '../problems.ts';
import type { Cycle } from '../reconcile/loop.ts';
import { type Cable, checkCabling } from './cabling.ts';
import type { SwitchStatus } from './status.ts';

export interface BoardOptions {
  readonly id: string;
  readonly agentVersion: string;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly problems: Problems;
}

/** What the board is told by others when it is asked. */
export interface Known {
  readonly desired: DesiredSwitch | undefined;
  readonly names: PortNames | undefined;
  /** By nic name. */
  readonly bgp: ReadonlyMap<string, BgpNeighbor>;
}

/** Keeps what the loops of the agent have last done, for whoever asks. */
export interface StatusBoard {
  registered(): void;
  beat(): void;
  /** By nic name. */
  links(states: ReadonlyMap<string, LinkState>): void;
  cycled(cycle: Cycle): void;
  neighbors(seen: readonly LldpNeighbor[]): void;
  tokenExpires(atMs: number): void;
  status(known: Known): SwitchStatus;
}

export function createStatusBoard(options: BoardOptions): StatusBoard {
  const { clock } = options;
  const startedAtMs = clock.now();
  let registeredAtMs: number | undefined;
  let deliveredAtMs: number | undefined;
  let tokenExpiresAtMs: number | undefined;
  let links: ReadonlyMap<string, LinkState> = new Map();
  let neighbors: readonly LldpNeighbor[] = [];
  let cycle: SwitchStatus['cycle'];
  let admin: ReadonlyMap<string, 'up' | 'down'> = new Map();

  const ports = ({ desired, names, bgp }: Known): SwitchStatus['ports'] => {
    const cables = new Map(checkCabling(machinesByPort(desired, names), neighbors).map((one) => [one.port, one]));
    const wishes = new Map((desired?.nics ?? []).map((nic) => [nic.name, nic]));
    const seen = Map.groupBy(neighbors, ({ port }) => port);
    return (names?.ports ?? []).map(({ port, nicName }) => {
      const session = bgp.get(nicName);
      const wish = wishes.get(nicName);
      const cable = cables.get(port);
      const lldp = (seen.get(port) ?? []).map(({ systemName, portId }) => ({ systemName, portId }));
      return {
        port,
        nic: nicName,
        link: links.get(nicName) ?? 'unknown',
        admin: admin.get(port),
        wanted: wish?.state,
        vrf: wish?.vrf,
        bgp: session && { state: session.state, neighbor: session.neighbor, vrf: session.vrf },
        lldp,
        cable: cable && withoutPort(cable),
      };
    });
  };

  return {
    registered: () => {
      registeredAtMs = clock.now();
    },
    beat: () => {
      deliveredAtMs = clock.now();
    },
    links: (states) => {
      links = states;
    },
    neighbors: (seen) => {
      neighbors = seen;
    },
    tokenExpires: (atMs) => {
      tokenExpiresAtMs = atMs;
    },
    cycled: ({ report, durationMs, result, drift }) => {
      const endedAtMs = clock.now();
      if (report !== undefined) admin = report.admin;
      const succeededAtMs = result === 'failed' ? cycle?.succeededAtMs : endedAtMs;
      cycle = { endedAtMs, durationMs, result, drift, succeededAtMs };
    },
    status: (known) => ({
      version: 1,
      id: options.id,
      agentVersion: options.agentVersion,
      startedAtMs,
      atMs: clock.now(),
      registeredAtMs,
      heartbeat: { deliveredAtMs, periodMs: options.heartbeatMs },
      cycle,
      tokenExpiresAtMs,
      problems: [...options.problems.all()],
      ports: ports(known),
    }),
  };
}

function withoutPort({ port: _port, ...rest }: Cable): Omit<Cable, 'port'> {
  return rest;
}
