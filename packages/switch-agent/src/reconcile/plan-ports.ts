import { type Action, Step } from './actions.ts';
import { Place, TRANSITIONS } from './rules.ts';
import { type ConfigRows, type Fields, hasFields, type RowChange, withFields } from './tables.ts';
import { isForeignTenant, isTenantName } from './tenant-vrf.ts';
import { vlanName } from './vlan-pool.ts';
import type { AdminStatus, Problem } from './wishes.ts';

/** Where a port is to be. */
export interface PortWish {
  readonly port: string;
  readonly place: 'pxe' | 'default' | 'tenant';
  /** Of a tenant. */
  readonly vrf?: string;
  /** It carries the leaf's own traffic: it may be given what it lacks, and nothing is taken from it. */
  readonly isUplink: boolean;
}

export interface PortContext {
  readonly config: ConfigRows;
  readonly pxeVlanId: number;
  readonly admin: ReadonlyMap<string, AdminStatus>;
}

// metal-stack's sizes: jumbo frames with VXLAN's header between leaves, spines and firewalls, without it for machines.
const FABRIC_MTU = '9216';
const MACHINE_MTU = '9000';

const LINK_LOCAL = { ipv6_use_link_local_only: 'enable' } as const;

/** What one port needs, or why it is left alone. */
export function planPort(context: PortContext, wish: PortWish): readonly Action[] | Problem {
  const { config, pxeVlanId } = context;
  const { port } = wish;
  const row = config.PORT.get(port);
  const refuse = (reason: string): Problem => ({ subject: port, reason });
  if (row === undefined) return refuse('CONFIG_DB has no PORT row for it; correct its name, or the breakout');
  const obstacle = masterOf(config, port, pxeVlanId) ?? foreignVrf(config, port);
  if (obstacle !== undefined) return refuse(obstacle);

  const member = memberKey(pxeVlanId, port);
  const place = placeOf(config, wish, member);
  const steps = TRANSITIONS[place][wish.place];
  if (wish.isUplink && config.INTERFACE.has(port) && steps.includes(Step.Release)) {
    return refuse(
      `it is an uplink, but INTERFACE|${port} is in a tenant's VRF or in the PXE VLAN too; correct it by hand`,
    );
  }
  const addresses = config.INTERFACE.keys().find((key) => key.startsWith(`${port}|`));
  if (addresses !== undefined && !wish.isUplink && (wish.place === 'pxe' || steps.includes(Step.Release))) {
    return refuse(`it has an address of its own, INTERFACE|${addresses}, and cannot be moved; remove the address`);
  }
  return actionsFor(context, wish, row, steps, member);
}

function actionsFor(
  { config, admin }: PortContext,
  wish: PortWish,
  row: Fields,
  steps: readonly Step[],
  member: string,
): readonly Action[] {
  const { port } = wish;
  const actions: Action[] = [];
  const current = config.INTERFACE.get(port);
  const mtu = wish.place === 'default' ? FABRIC_MTU : MACHINE_MTU;
  const status = admin.get(port);
  const isBound = !steps.includes(Step.Bind);
  // The status does not wait for anything; the size of frames changes together with what the port is for.
  const tuned = withFields(row, {
    ...(status === undefined ? {} : { admin_status: status }),
    ...(isBound ? { mtu } : {}),
  });
  const tuning = [...rowChange('PORT', port, row, tuned)];
  const target: Fields = { ...LINK_LOCAL, ...(wish.vrf === undefined ? {} : { vrf_name: wish.vrf }) };
  if (isBound && wish.place !== 'pxe')
    tuning.push(...rowChange('INTERFACE', port, current, withFields(current, target)));
  if (tuning.length > 0) actions.push({ step: Step.Tune, subject: port, port, changes: tuning });

  if (steps.includes(Step.Release)) {
    const left = current?.['vrf_name'];
    actions.push({
      step: Step.Release,
      subject: port,
      port,
      ...(left === undefined ? {} : { vrf: left }),
      ...(current !== undefined && left === undefined ? { withdraw: true } : {}),
      changes: [
        ...(current === undefined ? [] : rowChange('INTERFACE', port, current, undefined)),
        ...rowChange('VLAN_MEMBER', member, config.VLAN_MEMBER.get(member), undefined),
      ],
    });
  }
  if (!isBound) {
    actions.push({
      step: Step.Bind,
      subject: port,
      port,
      ...(wish.vrf === undefined ? {} : { vrf: wish.vrf }),
      changes: [
        ...rowChange('PORT', port, tuned, withFields(tuned, { mtu })),
        wish.place === 'pxe'
          ? { table: 'VLAN_MEMBER', key: member, before: undefined, after: { tagging_mode: 'untagged' } }
          : { table: 'INTERFACE', key: port, before: undefined, after: target },
      ],
    });
  }
  return actions;
}

/** Where CONFIG_DB has the port now, seen from where it is to be. */
function placeOf(config: ConfigRows, { port, vrf }: PortWish, member: string): Place {
  const current = config.INTERFACE.get(port);
  const membership = config.VLAN_MEMBER.get(member);
  if (current !== undefined) {
    const now = current['vrf_name'];
    if (membership !== undefined) return Place.Unclear;
    if (now === undefined) return Place.Default;
    return now === vrf ? Place.Tenant : Place.OtherTenant;
  }
  if (membership === undefined) return Place.Nowhere;
  // SONiC does not change the tagging of a member that it has.
  return hasFields(membership, { tagging_mode: 'untagged' }) ? Place.Pxe : Place.Unclear;
}

/** What else holds the port, in words. */
function masterOf(config: ConfigRows, port: string, pxeVlanId: number): string | undefined {
  const own = memberKey(pxeVlanId, port);
  for (const table of ['VLAN_MEMBER', 'PORTCHANNEL_MEMBER'] as const) {
    const key = config[table].keys().find((candidate) => candidate.endsWith(`|${port}`) && candidate !== own);
    if (key !== undefined) return `${table}|${key} holds it, which is not this agent's; remove the row`;
  }
  return undefined;
}

function foreignVrf(config: ConfigRows, port: string): string | undefined {
  const vrf = config.INTERFACE.get(port)?.['vrf_name'];
  if (vrf === undefined || (isTenantName(vrf) && !isForeignTenant(config, vrf))) return undefined;
  return `it is in ${vrf}, which is not this agent's; unbind it (config interface vrf unbind ${port})`;
}

function memberKey(vlan: number, port: string): string {
  return `${vlanName(vlan)}|${port}`;
}

function rowChange(
  table: RowChange['table'],
  key: string,
  before: Fields | undefined,
  after: Fields | undefined,
): readonly RowChange[] {
  if (before === undefined && after === undefined) return [];
  if (before !== undefined && after !== undefined && hasFields(before, after) && hasFields(after, before)) return [];
  return [{ table, key, before, after }];
}
