import type { LogLevel } from '@ingot/daemon';
import type { FabricModel } from '../fabric-model.ts';
import { type Action, Step } from './actions.ts';
import { planPort, type PortWish } from './plan-ports.ts';
import { planTeardown } from './plan-teardown.ts';
import { planTenants } from './plan-tenants.ts';
import { orderActions, type OrderedAction, type Rule, RULES } from './rules.ts';
import type { ConfigRows } from './tables.ts';
import { vlanName } from './vlan-pool.ts';
import type { LeafConfig, Problem, Wishes } from './wishes.ts';

/** What has to be done, and what FRR is to know when it is. */
export interface Plan {
  /** In an order that obeys the rules; the last one configures FRR, and no plan is without it. */
  readonly actions: readonly OrderedAction[];
  readonly model: FabricModel;
  readonly problems: readonly Problem[];
}

export interface PlanInput {
  readonly config: ConfigRows;
  readonly wishes: Wishes;
  readonly leaf: LeafConfig;
  readonly hostname: string;
  readonly logLevel: LogLevel;
  /** VNI to VLAN: what a VRF that has none here gets, where it is free. */
  readonly preferredVlans?: ReadonlyMap<number, number>;
}

/**
 * Compares what is wanted with CONFIG_DB. Pure: the same rows and wishes give the same plan, and a plan that has been
 * carried out is followed by one that changes no row. Whatever cannot be done is a problem of its port or VRF and
 * leaves the others alone.
 */
export function planCycle(input: PlanInput, rules: readonly Rule[] = RULES): Plan {
  const { config, wishes, leaf } = input;
  const problems: Problem[] = [...wishes.problems];
  const tenants = planTenants(config, wishes.tenants, input.preferredVlans);
  problems.push(...tenants.problems);
  const ports: Action[] = [];
  const pxeExists = config.VLAN.has(vlanName(leaf.pxeVlanId));
  if (!pxeExists && wishes.unprovisioned.length > 0) {
    problems.push({
      subject: vlanName(leaf.pxeVlanId),
      reason: `CONFIG_DB has no VLAN row for the PXE VLAN; create it (config vlan add ${leaf.pxeVlanId}), or correct pxeVlanId`,
    });
  }
  for (const wish of portWishes(wishes, tenants.usable)) {
    if (wish.place === 'pxe' && !pxeExists) continue;
    const outcome = planPort({ config, pxeVlanId: leaf.pxeVlanId, admin: wishes.admin }, wish);
    if ('reason' in outcome) problems.push(outcome);
    else ports.push(...outcome);
  }
  const released = new Set(
    ports.flatMap(({ step, port }) => (step === Step.Release && port !== undefined ? [port] : [])),
  );
  const teardown = planTeardown(config, wishes.tenants, tenants.vrfs, released);
  problems.push(...teardown.problems);
  const actions: Action[] = [...ports, ...tenants.actions, ...teardown.actions];
  const refersTo = tenants.vrfs.map(({ name }) => name);
  const frr = { subject: 'FRR', refersTo, drops: teardown.drops, changes: [] };
  if (actions.some(({ withdraw }) => withdraw === true)) actions.unshift({ step: Step.Withdraw, ...frr });
  actions.push({ step: Step.Configure, ...frr });
  return {
    actions: orderActions(actions, rules),
    model: {
      hostname: input.hostname,
      asn: leaf.asn,
      loopback: leaf.loopback,
      setSourceLoopback: leaf.setSourceLoopback,
      logLevel: input.logLevel,
      managementRoutes: leaf.managementRoutes,
      uplinks: wishes.uplinks,
      unprovisioned: wishes.unprovisioned,
      firewalls: wishes.firewalls,
      vrfs: tenants.vrfs,
    },
    problems,
  };
}

function portWishes(wishes: Wishes, usable: ReadonlySet<string>): readonly PortWish[] {
  return [
    ...wishes.uplinks.map((port) => ({ port, place: 'default', isUplink: true }) as const),
    ...wishes.unprovisioned.map((port) => ({ port, place: 'pxe', isUplink: false }) as const),
    ...wishes.firewalls.map(({ port }) => ({ port, place: 'default', isUplink: false }) as const),
    ...wishes.tenants.flatMap(({ name, ports }) =>
      // The VRF's own problem says why its ports stay as they are.
      usable.has(name) ? ports.map((port) => ({ port, place: 'tenant', vrf: name, isUplink: false }) as const) : [],
    ),
  ];
}
