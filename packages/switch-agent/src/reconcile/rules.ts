import { type Action, type Condition, Step } from './actions.ts';
import type { ConfigTable } from './tables.ts';

/** Where a port belongs, as far as CONFIG_DB says. */
export const Place = {
  Nowhere: 'nowhere',
  Pxe: 'pxe',
  /** Routed in the default VRF: an uplink or a firewall. */
  Default: 'default',
  Tenant: 'tenant',
  OtherTenant: 'other-tenant',
  /** Routed and in the PXE VLAN at once, or in it with a tag. */
  Unclear: 'unclear',
} as const;
export type Place = (typeof Place)[keyof typeof Place];

/**
 * How a port gets from one place to another. None goes directly: intfmgrd refuses to change the VRF of an interface
 * ("can not change to … directly") and keeps the old one for ever, and vlanmgrd dies when it is given a port that
 * vrfmgrd still holds (sonic-buildimage #13772).
 */
export const TRANSITIONS: Readonly<Record<Place, Readonly<Record<'pxe' | 'default' | 'tenant', readonly Step[]>>>> = {
  nowhere: { pxe: [Step.Bind], default: [Step.Bind], tenant: [Step.Bind] },
  pxe: { pxe: [], default: [Step.Release, Step.Bind], tenant: [Step.Release, Step.Bind] },
  default: { pxe: [Step.Release, Step.Bind], default: [], tenant: [Step.Release, Step.Bind] },
  tenant: { pxe: [Step.Release, Step.Bind], default: [Step.Release, Step.Bind], tenant: [] },
  'other-tenant': {
    pxe: [Step.Release, Step.Bind],
    default: [Step.Release, Step.Bind],
    tenant: [Step.Release, Step.Bind],
  },
  unclear: { pxe: [Step.Release, Step.Bind], default: [Step.Release, Step.Bind], tenant: [Step.Release, Step.Bind] },
};

/** One step that has to be taken, and to be seen to have worked, before the next one. */
export interface Rule {
  readonly name: string;
  readonly why: string;
  /** Absent: what has to be over is always the work of an earlier cycle. */
  readonly first?: Step;
  readonly next: Step;
  /** Which pairs it orders: those of the same port or VRF or VLAN, or all. */
  readonly of?: 'port' | 'vrf' | 'vlan' | 'all';
  /**
   * What has to hold before `next` starts, whether or not this plan has a `first`: the agent may have been killed
   * between the two.
   */
  readonly until?: (next: Action) => readonly Condition[];
}

/**
 * The order in which things are done. Every rule here stands for a crash or a leak; each has a test that fails without
 * it (test/rules.interop.test.ts).
 */
export const RULES: readonly Rule[] = [
  {
    name: 'frr-lets-go-first',
    why: 'bgpd crashes when the interface of an unnumbered neighbour in the default VRF loses its address under it',
    first: Step.Withdraw,
    next: Step.Release,
    of: 'all',
    until: ({ port, withdraw }) => (withdraw === true && port !== undefined ? [{ kind: 'withdrawn', port }] : []),
  },
  {
    name: 'port-settles-before-release',
    why: 'a port that is released while a daemon is still binding it looks free, and is bound a moment later',
    next: Step.Release,
    until: ({ port, changes }) =>
      changes.flatMap(({ table }): readonly Condition[] => {
        if (port === undefined) return [];
        return [{ kind: 'port-settled', port, as: table === 'INTERFACE' ? 'routed' : 'bridged' }];
      }),
  },
  {
    name: 'port-free-before-bind',
    why: 'vlanmgrd crashes on a port that vrfmgrd still holds, orchagent on one that is still in the bridge',
    first: Step.Release,
    next: Step.Bind,
    of: 'port',
    until: ({ port }) => (port === undefined ? [] : [{ kind: 'port-free', port }]),
  },
  {
    name: 'vrf-before-its-ports',
    why: 'an interface that is bound to a VRF without a device stays in the default VRF',
    first: Step.Create,
    next: Step.Bind,
    of: 'vrf',
    until: ({ vrf }) => (vrf === undefined ? [] : [{ kind: 'vrf-ready', vrf }]),
  },
  {
    name: 'vrf-before-frr',
    why: 'FRR says "VRF … not active" and fails all lines that follow',
    first: Step.Create,
    next: Step.Configure,
    of: 'all',
    until: ({ refersTo = [] }) => refersTo.map((vrf) => ({ kind: 'vrf-ready', vrf })),
  },
  {
    name: 'ports-before-frr',
    why: 'a neighbour whose interface is not yet in its VRF starts in the wrong one',
    first: Step.Bind,
    next: Step.Configure,
    of: 'all',
  },
  {
    name: 'ports-leave-before-teardown',
    why: 'orchagent keeps a VRF and its VNI for as long as an interface is in it, and fails the removal',
    first: Step.Release,
    next: Step.Unmap,
    of: 'vrf',
    until: ({ vrf }) => (vrf === undefined ? [] : [{ kind: 'vrf-without-ports', vrf }]),
  },
  {
    name: 'vlan-settles-before-teardown',
    why: 'a VLAN that is added and deleted within one pass of its queue crashes orchagent (sonic-buildimage #23506)',
    next: Step.Unmap,
    until: ({ vlan, changes }) => {
      const has = (table: ConfigTable): boolean => changes.some((change) => change.table === table);
      if (vlan === undefined) return [];
      return [{ kind: 'vlan-settled', vlan, routed: has('VLAN_INTERFACE'), mapped: has('VXLAN_TUNNEL_MAP') }];
    },
  },
  {
    name: 'map-before-vlan',
    why: 'a VLAN that its tunnel map or its routed interface still uses cannot be removed',
    first: Step.Unmap,
    next: Step.RemoveVlan,
    of: 'vlan',
    until: ({ vlan }) => (vlan === undefined ? [] : [{ kind: 'vlan-unmapped', vlan }]),
  },
  {
    name: 'vlan-before-vrf',
    why: 'a VRF that an interface is still in cannot be removed; swss orders events by key and not by time (#20941)',
    first: Step.RemoveVlan,
    next: Step.RemoveVrf,
    of: 'vrf',
    until: ({ vrf }) => (vrf === undefined ? [] : [{ kind: 'vrf-unused', vrf }]),
  },
  {
    name: 'gone-before-new',
    why: 'the VLAN or the VRF that an earlier cycle removed must have left before its name is used again (#23506)',
    next: Step.Create,
    until: ({ changes, vrf, vlan }) =>
      changes.flatMap(({ table, before }): readonly Condition[] => {
        if (before !== undefined) return [];
        if (table === 'VRF' && vrf !== undefined) return [{ kind: 'vrf-gone', vrf }];
        return table === 'VLAN' && vlan !== undefined ? [{ kind: 'vlan-gone', vlan }] : [];
      }),
  },
  {
    name: 'vrf-before-its-stanza',
    why: 'FRR refuses to remove the stanza of a VRF that is still active',
    first: Step.RemoveVrf,
    next: Step.Configure,
    of: 'all',
    until: ({ drops = [] }) => drops.map(({ name }) => ({ kind: 'vrf-gone', vrf: name })),
  },
];

/** An action with what the rules ask of it. */
export interface OrderedAction extends Action {
  /** Places in the list of the actions that have to be over; all smaller than its own. */
  readonly after: readonly number[];
  readonly until: readonly Condition[];
}

/** Puts the actions into an order that obeys the rules, and otherwise keeps theirs. */
export function orderActions(actions: readonly Action[], rules: readonly Rule[] = RULES): readonly OrderedAction[] {
  const predecessors = actions.map(() => new Set<number>());
  for (const rule of rules) {
    const firsts = new Map<string | number | undefined, number[]>();
    actions.forEach((action, index) => {
      if (action.step !== rule.first) return;
      const scope = scopeOf(rule, action);
      if (scope !== undefined) firsts.set(scope, [...(firsts.get(scope) ?? []), index]);
    });
    actions.forEach((action, index) => {
      if (action.step !== rule.next) return;
      for (const first of firsts.get(scopeOf(rule, action)) ?? []) predecessors[index]?.add(first);
    });
  }
  const order = depthFirst(predecessors);
  const placeOf = new Map(order.map((index, place) => [index, place]));
  return order.flatMap((index) => {
    const action = actions[index];
    if (action === undefined) return [];
    const after = [...(predecessors[index] ?? [])].map((before) => placeOf.get(before) ?? 0);
    const until = rules.flatMap((rule) => (rule.next === action.step ? (rule.until?.(action) ?? []) : []));
    return [{ ...action, after: after.toSorted((a, b) => a - b), until }];
  });
}

function scopeOf(rule: Rule, action: Action): string | number | undefined {
  if (rule.first === undefined || rule.of === undefined) return undefined;
  return rule.of === 'all' ? 'all' : action[rule.of];
}

/** By the length of the longest chain before each, and among equals as given. */
function depthFirst(predecessors: ReadonlyArray<ReadonlySet<number>>): readonly number[] {
  const depths = new Map<number, number>();
  const depthOf = (index: number): number => {
    const known = depths.get(index);
    if (known !== undefined) return known;
    const depth = 1 + Math.max(-1, ...[...(predecessors[index] ?? [])].map(depthOf));
    depths.set(index, depth);
    return depth;
  };
  return predecessors.map((_, index) => index).toSorted((a, b) => depthOf(a) - depthOf(b) || a - b);
}
