import { z } from 'zod';
import { BGP_STATES, type BgpState } from '../frr/neighbors.ts';
import type { LinkState } from '../link-state.ts';
import type { Cycle } from '../reconcile/loop.ts';
import { type Cable, CABLE_STATES } from './cabling.ts';

/** How one port is. */
export interface PortStatus {
  readonly port: string;
  readonly nic: string;
  readonly link: LinkState;
  /** As the last comparison has found it. */
  readonly admin?: 'up' | 'down' | undefined;
  /** What the API asks for now; it forgets its wish once it is fulfilled. */
  readonly wanted?: 'up' | 'down' | undefined;
  readonly vrf?: string | undefined;
  readonly bgp?: { readonly state: BgpState; readonly neighbor: string; readonly vrf: string } | undefined;
  readonly lldp: ReadonlyArray<{ readonly systemName: string; readonly portId: string }>;
  readonly cable?: Omit<Cable, 'port'> | undefined;
}

/** What the daemon says of itself and its switch, and what `ingot-switch status --json` prints. Times are of the epoch. */
export interface SwitchStatus {
  readonly version: 1;
  readonly id: string;
  readonly agentVersion: string;
  readonly startedAtMs: number;
  /** When it said all this. */
  readonly atMs: number;
  readonly registeredAtMs?: number | undefined;
  readonly heartbeat: { readonly deliveredAtMs?: number | undefined; readonly periodMs: number };
  /** The last comparison with what the API wants; absent when nothing is compared, or has been yet. */
  readonly cycle?:
    | {
        readonly endedAtMs: number;
        readonly durationMs: number;
        readonly result: Cycle['result'];
        /** Rows that differed when it started. */
        readonly drift: number;
        readonly succeededAtMs?: number | undefined;
      }
    | undefined;
  readonly tokenExpiresAtMs?: number | undefined;
  /** What is wrong now, by what it is about: a port, a VRF or a part of the agent. */
  readonly problems: ReadonlyArray<{ readonly topic: string; readonly reason: string }>;
  readonly ports: readonly PortStatus[];
}

const time = z.number();
const link = z.enum(['up', 'down', 'unknown']);
const admin = z.enum(['up', 'down']);

const schema = z.object({
  version: z.literal(1),
  id: z.string(),
  agentVersion: z.string(),
  startedAtMs: time,
  atMs: time,
  registeredAtMs: time.optional(),
  heartbeat: z.object({ deliveredAtMs: time.optional(), periodMs: z.number() }),
  cycle: z
    .object({
      endedAtMs: time,
      durationMs: z.number(),
      result: z.enum(['converged', 'changed', 'observed', 'failed']),
      drift: z.number(),
      succeededAtMs: time.optional(),
    })
    .optional(),
  tokenExpiresAtMs: time.optional(),
  problems: z.array(z.object({ topic: z.string(), reason: z.string() })),
  ports: z.array(
    z.object({
      port: z.string(),
      nic: z.string(),
      link,
      admin: admin.optional(),
      wanted: admin.optional(),
      vrf: z.string().optional(),
      bgp: z.object({ state: z.enum(BGP_STATES), neighbor: z.string(), vrf: z.string() }).optional(),
      lldp: z.array(z.object({ systemName: z.string(), portId: z.string() })),
      cable: z
        .object({
          state: z.enum(CABLE_STATES),
          wanted: z.string().optional(),
          seen: z.array(z.string()),
          insteadOn: z.array(z.string()),
        })
        .optional(),
    }),
  ),
});

/** Reads what a daemon has said. Throws what zod says of anything else. */
export function parseSwitchStatus(json: unknown): SwitchStatus {
  return schema.parse(json);
}
