import { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { createAuditStore, type AuditStore } from '../audit/audit-store.ts';
import { createTokenStore, type TokenStore } from '../auth/token-store.ts';
import { createEventStore, type EventStore } from '../events/event-store.ts';
import { createBmcCommandStore, type BmcCommandStore } from './bmc-command-store.ts';
import { createBmcStore, type BmcStore } from './bmc-store.ts';
import { createComponentStore, type ComponentStore } from './component-store.ts';
import { createConsolePasswordStore, type ConsolePasswordStore } from './console-password-store.ts';
import type { Session, TransactionOptions } from './database.ts';
import { entityTable, type EntityTable } from './entity-table.ts';
import { createOwedWipeStore, type OwedWipeStore } from './owed-wipe-store.ts';
import { createIdempotencyStore, type IdempotencyStore } from './idempotency-store.ts';
import { createNumberPools, type NumberPools } from './number-pools.ts';
import { WIPE_LABEL } from '../machine/wipe-label.ts';
import { MACHINE_LABEL } from '../network/machine-label.ts';
import { createPortStore, type PortStore } from './port-store.ts';
import { createSwitchStatusStore, type SwitchStatusStore } from './switch-status-store.ts';
import { createTaskStore, type TaskStore } from './task-store.ts';
import { createWaitingStore, type WaitingStore } from './waiting-store.ts';

/** Everything that is stored, over one session: that of the database, or that of an open transaction. */
export interface Stores {
  readonly session: Session;
  /** `Session.transaction`, with the stores of the transaction. */
  transaction<T>(work: (stores: Stores) => Promise<T> | T, options?: TransactionOptions): Promise<T>;
  readonly partitions: EntityTable<apiV2.Partition>;
  /** Bodies hold the ID of partition and size only, and neither events nor liveliness: see `machine-view.ts`. */
  readonly machines: EntityTable<apiV2.Machine, MachineColumn>;
  readonly bmcs: BmcStore;
  /**
   * Bodies hold what was registered and what operators want. Machines and VRFs at the ports are in `ports`, what heartbeats
   * report in `switchStatus`: see `switch-view.ts`.
   */
  readonly switches: EntityTable<apiV2.Switch, 'partition'>;
  readonly switchStatus: SwitchStatusStore;
  readonly ports: PortStore;
  readonly events: EventStore;
  readonly tokens: TokenStore;
  readonly components: ComponentStore;
  readonly waiting: WaitingStore;
  readonly sizes: EntityTable<apiV2.Size>;
  readonly sizeReservations: EntityTable<apiV2.SizeReservation, 'project' | 'size'>;
  /** By size. */
  readonly sizeImageConstraints: EntityTable<apiV2.SizeImageConstraint>;
  readonly images: EntityTable<apiV2.Image>;
  readonly filesystemLayouts: EntityTable<apiV2.FilesystemLayout>;
  readonly tenants: EntityTable<apiV2.Tenant>;
  /** By `memberId(tenant, member)`. */
  readonly tenantMembers: EntityTable<apiV2.TenantMember, 'tenant' | 'member'>;
  /** By secret. */
  readonly tenantInvites: EntityTable<apiV2.TenantInvite, 'tenant'>;
  readonly projects: EntityTable<apiV2.Project, 'tenant'>;
  /** By `memberId(project, member)`. */
  readonly projectMembers: EntityTable<apiV2.ProjectMember, 'project' | 'member'>;
  /** By secret. */
  readonly projectInvites: EntityTable<apiV2.ProjectInvite, 'project'>;
  /** Bodies have no consumption: see `network/consumption.ts`. `parent`, `project` and `partition` are empty for none. */
  readonly networks: EntityTable<apiV2.Network, 'project' | 'partition' | 'parent' | 'type'>;
  /** By UUID. */
  readonly ips: EntityTable<apiV2.IP, 'namespace' | 'address' | 'network' | 'project' | 'machine'>;
  readonly numbers: NumberPools;
  readonly bmcCommands: BmcCommandStore;
  readonly tasks: TaskStore;
  readonly consolePasswords: ConsolePasswordStore;
  readonly idempotency: IdempotencyStore;
  readonly owedWipes: OwedWipeStore;
  readonly audit: AuditStore;
}

/** `role` is that of the allocation, 0 without one; `wipe` is 1 with disks to erase; `placement` holds labels as JSON. */
export type MachineColumn = 'partition' | 'size' | 'project' | 'rack' | 'state' | 'role' | 'placement' | 'wipe';

/** The key of a membership; neither part has a slash. */
export function memberId(of: string, member: string): string {
  return `${of}/${member}`;
}

/** The two parts of a member's key. */
export function ofMember(id: string): { readonly of: string; readonly member: string } {
  const slash = id.indexOf('/');
  return { of: id.slice(0, slash), member: id.slice(slash + 1) };
}

export function createStores(session: Session, clock: Clock): Stores {
  return {
    session,
    transaction: (work, options) => session.transaction((inner) => work(createStores(inner, clock)), options),
    partitions: entityTable({ session, clock, table: 'partition', schema: apiV2.PartitionSchema }),
    machines: entityTable({
      session,
      clock,
      table: 'machine',
      schema: apiV2.MachineSchema,
      columns: ({ partition, size, allocation, rack, status, meta }) => ({
        partition: partition?.id ?? '',
        size: size?.id ?? '',
        project: allocation?.project ?? '',
        rack,
        state: status?.condition?.state ?? apiV2.MachineState.UNSPECIFIED,
        role: allocation?.allocationType ?? apiV2.MachineAllocationType.UNSPECIFIED,
        placement: allocation?.placementLabels === undefined ? '' : JSON.stringify(allocation.placementLabels.labels),
        wipe: meta?.labels?.labels[WIPE_LABEL] === undefined ? 0 : 1,
      }),
      // What ends the waiting of a machine.
      told: ({ allocation, meta }) =>
        [allocation?.uuid, meta?.labels?.labels[WIPE_LABEL]].filter((one) => one !== undefined).join(' '),
    }),
    bmcs: createBmcStore(session),
    switches: entityTable({
      session,
      clock,
      table: 'switch',
      schema: apiV2.SwitchSchema,
      columns: (value) => ({ partition: value.partition }),
    }),
    switchStatus: createSwitchStatusStore(session),
    ports: createPortStore(session),
    events: createEventStore(session, clock),
    tokens: createTokenStore(session, clock),
    components: createComponentStore(session, clock),
    waiting: createWaitingStore(session, clock),
    sizes: entityTable({ session, clock, table: 'size', schema: apiV2.SizeSchema }),
    sizeReservations: entityTable({
      session,
      clock,
      table: 'size_reservation',
      noun: 'size reservation',
      schema: apiV2.SizeReservationSchema,
      columns: ({ project, size }) => ({ project, size }),
    }),
    sizeImageConstraints: entityTable({
      session,
      clock,
      table: 'size_image_constraint',
      noun: 'size image constraint',
      schema: apiV2.SizeImageConstraintSchema,
    }),
    images: entityTable({ session, clock, table: 'image', schema: apiV2.ImageSchema }),
    filesystemLayouts: entityTable({
      session,
      clock,
      table: 'filesystem_layout',
      noun: 'filesystem layout',
      schema: apiV2.FilesystemLayoutSchema,
    }),
    tenants: entityTable({ session, clock, table: 'tenant', schema: apiV2.TenantSchema }),
    tenantMembers: entityTable({
      session,
      clock,
      table: 'tenant_member',
      noun: 'tenant member',
      schema: apiV2.TenantMemberSchema,
      columns: (_value, id) => ({ tenant: ofMember(id).of, member: ofMember(id).member }),
    }),
    tenantInvites: entityTable({
      session,
      clock,
      table: 'tenant_invite',
      noun: 'tenant invite',
      schema: apiV2.TenantInviteSchema,
      columns: ({ targetTenant }) => ({ tenant: targetTenant }),
    }),
    projectMembers: entityTable({
      session,
      clock,
      table: 'project_member',
      noun: 'project member',
      schema: apiV2.ProjectMemberSchema,
      columns: (_value, id) => ({ project: ofMember(id).of, member: ofMember(id).member }),
    }),
    projectInvites: entityTable({
      session,
      clock,
      table: 'project_invite',
      noun: 'project invite',
      schema: apiV2.ProjectInviteSchema,
      columns: ({ project }) => ({ project }),
    }),
    networks: entityTable({
      session,
      clock,
      table: 'network',
      schema: apiV2.NetworkSchema,
      columns: ({ project, partition, parentNetwork, type }) => ({
        project: project ?? '',
        partition: partition ?? '',
        parent: parentNetwork ?? '',
        type,
      }),
    }),
    ips: entityTable({
      session,
      clock,
      table: 'ip',
      schema: apiV2.IPSchema,
      columns: (ip) => ({
        namespace: ip.namespace ?? '',
        address: ip.ip,
        network: ip.network,
        project: ip.project,
        machine: ip.meta?.labels?.labels[MACHINE_LABEL] ?? '',
      }),
    }),
    numbers: createNumberPools(session),
    bmcCommands: createBmcCommandStore(session, clock),
    tasks: createTaskStore(session, clock),
    consolePasswords: createConsolePasswordStore(session),
    idempotency: createIdempotencyStore(session, clock),
    owedWipes: createOwedWipeStore(session),
    audit: createAuditStore(session, clock),
    projects: entityTable({
      session,
      clock,
      table: 'project',
      schema: apiV2.ProjectSchema,
      columns: ({ tenant }) => ({ tenant }),
    }),
  };
}
