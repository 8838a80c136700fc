import type { Redactor, ReloadResult } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import type { DebugKeys } from '../debug-key/debug-keys.ts';
import { findNeighbours } from '../dhcp/neighbours.ts';
import type { Subnet } from '../dhcp/subnets.ts';
import type { Subnet6 } from '../dhcpv6/subnets.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { parseMac, parseUuid } from '../identity.ts';
import { formatIpv4 } from '../ipv4.ts';
import { simulateRequestWire, type SimulateAnswer, type SimulateRequest } from '../simulate/wire.ts';
import type { LeaseStore } from '../store/leases.ts';
import type { Lease6Store } from '../store/leases6.ts';
import { machineViews, mergedEntries } from '../timeline/machines.ts';
import type { Track } from '../timeline/track.ts';
import type { MachineWatch } from '../timeline/watch.ts';
import { entryToWire, iso, lease6ToWire, leaseToWire, machineToWire } from './views.ts';
import type { DebugKeyWire, LeaseWire, MachineWire, ReloadWire, TimelineWire } from './wire.ts';

export interface AdminRequest {
  /** What stands behind the route's name. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  /** The answer, as JSON; throws AdminRefusal. */
  readonly answer: (request: AdminRequest) => unknown;
}

/** By what stands behind `/v1/`. */
export type AdminRoutes = ReadonlyMap<string, AdminRoute>;

/** An answer that says no; `code` is stable. */
export class AdminRefusal extends Error {
  override readonly name = 'AdminRefusal';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface AdminComponents {
  readonly clock: Clock;
  readonly redactor: Redactor;
  readonly watch: MachineWatch;
  readonly debugKeys: Pick<DebugKeys, 'find'>;
  readonly leases: Pick<LeaseStore, 'all'>;
  readonly subnets: () => readonly Subnet[];
  readonly simulate: (request: SimulateRequest) => Promise<SimulateAnswer>;
  readonly reload: () => Promise<ReloadResult>;
  readonly leases6: Pick<Lease6Store, 'all'>;
  /** None without DHCPv6. */
  readonly subnets6: () => readonly Subnet6[];
}

export function adminRoutes(components: AdminComponents): AdminRoutes {
  const { clock, watch, leases, subnets, leases6, subnets6, simulate, reload } = components;
  return new Map<string, AdminRoute>([
    [
      'machines',
      {
        method: 'GET',
        answer: ({ path: [id, view], query }): { machines: MachineWire[] } | TimelineWire | DebugKeyWire => {
          if (id === undefined || id === '') return { machines: watch.machines().map(machineToWire) };
          if (view === 'debug-key') return debugKeyOf(components, id);
          if (view !== 'timeline')
            throw new AdminRefusal(
              404,
              'not_found',
              'ask for /v1/machines, or /v1/machines/<mac or uuid>/timeline or /debug-key',
            );
          return timelineOf(components, id, Number(query.get('after') ?? 0));
        },
      },
    ],
    [
      'leases',
      {
        method: 'GET',
        answer: (): { leases: LeaseWire[] } => ({
          leases: [
            ...leases.all().map((lease) => leaseToWire(lease, subnets(), clock.now())),
            ...leases6.all().map((lease) => lease6ToWire(lease, subnets6(), clock.now())),
          ],
        }),
      },
    ],
    ['neighbours', { method: 'GET', answer: () => ({ neighbours: findNeighbours() }) }],
    [
      'simulate',
      {
        method: 'POST',
        answer: async ({ body }): Promise<SimulateAnswer> => {
          const parsed = simulateRequestWire.safeParse(body);
          if (!parsed.success) {
            const [issue] = parsed.error.issues;
            throw new AdminRefusal(400, 'bad_request', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
          }
          try {
            return await simulate(parsed.data);
          } catch (error) {
            if (error instanceof BootServerError && error.code === BootServerErrorCode.AdminRefused)
              throw new AdminRefusal(400, 'bad_request', error.message);
            throw error;
          }
        },
      },
    ],
    [
      'reload',
      {
        method: 'POST',
        answer: async (): Promise<ReloadWire> => {
          const result = await reload();
          if (!result.ok) throw new AdminRefusal(409, 'reload_refused', result.reason);
          return { taken: [...result.taken], needsRestart: [...result.needsRestart] };
        },
      },
    ],
  ]);
}

/** Of one NIC by its MAC, of all NICs of a machine by its UUID; only what is newer than `after`. */
function timelineOf({ clock, redactor, watch }: AdminComponents, id: string, after: number): TimelineWire {
  const tracks = tracksOf(watch, id);
  const [view] = machineViews(tracks, clock.monotonic());
  if (view === undefined)
    throw new AdminRefusal(
      404,
      'unknown_machine',
      `nothing was heard of ${id} since the server was started, or for a day`,
    );
  const merged = mergedEntries(tracks);
  return {
    machine: machineToWire(view),
    first: iso(merged[0]?.entry.at ?? clock.now()),
    entries: merged.filter(({ entry }) => entry.seq > after).map(({ mac, entry }) => entryToWire(mac, entry, redactor)),
  };
}

/** Of the machine's boot: the newest key of its NICs. */
function debugKeyOf({ clock, watch, debugKeys, leases }: AdminComponents, id: string): DebugKeyWire {
  const tracks = tracksOf(watch, id);
  const mac = parseMac(id);
  // A key outlives a restart of the server, what was seen of its machine does not.
  const macs = mac === undefined ? tracks.map((track) => track.mac) : [mac];
  const [key] = macs.flatMap((each) => debugKeys.find(each) ?? []).toSorted((a, b) => b.issuedAt - a.issuedAt);
  if (key === undefined)
    throw new AdminRefusal(
      404,
      'no_debug_key',
      `no boot of ${id} has a debug key, or it is a day old: set agent.sshDebug, and boot the machine anew`,
    );
  const [view] = machineViews(tracks, clock.monotonic());
  const lease = leases.all().find((each) => each.mac === key.mac && each.state === 'bound');
  return {
    mac: key.mac,
    address: view?.address ?? (lease === undefined ? null : formatIpv4(lease.address)),
    keyFile: key.keyFile,
    hostsFile: key.hostsFile,
    hostKnown: key.isHostKnown,
    expires: iso(key.expiresAt),
  };
}

function tracksOf({ timeline }: MachineWatch, id: string): Track[] {
  const mac = parseMac(id);
  if (mac !== undefined) return [timeline.find(mac)].filter((track) => track !== undefined);
  const uuid = parseUuid(id);
  if (uuid === undefined) throw new AdminRefusal(400, 'bad_machine', `${id} is neither a MAC address nor a UUID`);
  return timeline.tracks().filter(({ state }) => state.uuid === uuid);
}
