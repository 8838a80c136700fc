import type { Redactor } from '@ingot/daemon';
import { findSubnet, type Subnet } from '../dhcp/subnets.ts';
import { findSubnet6, type Subnet6 } from '../dhcpv6/subnets.ts';
import { formatIpv4 } from '../ipv4.ts';
import type { Lease } from '../store/leases.ts';
import type { Lease6 } from '../store/leases6.ts';
import type { MachineView } from '../timeline/machines.ts';
import type { TimelineEntry } from '../timeline/track.ts';
import type { AdminJson, EntryWire, LeaseWire, MachineWire } from './wire.ts';

export function machineToWire(view: MachineView): MachineWire {
  const { problem } = view;
  return {
    uuid: view.uuid ?? null,
    macs: [...view.macs],
    address: view.address ?? null,
    stage: view.stage,
    since: iso(view.since),
    stuck: view.isStuck,
    usualSeconds: view.usualMs === undefined ? null : view.usualMs / 1000,
    boots: view.boots,
    problem:
      problem === undefined
        ? null
        : { time: iso(problem.at), event: problem.event, reason: problem.reason ?? null, message: problem.words },
    lastSeen: iso(view.lastAt),
  };
}

/** Secrets that a line may hold are left out, as they are in the log. */
export function entryToWire(mac: string, entry: TimelineEntry, redactor: Redactor): EntryWire {
  const shown = Object.entries(entry.fields).filter(
    ([key, value]) => key !== 'mac' && key !== 'event' && value !== undefined,
  );
  return {
    seq: entry.seq,
    time: iso(entry.at),
    mac,
    level: entry.level,
    event: entry.event,
    message: redactor.text(entry.msg),
    fields: Object.fromEntries(
      shown.map(([key, value]) => [key, redactor.isSecretKey(key) ? '[redacted]' : plain(value, redactor)]),
    ),
    repeats: entry.repeats,
    repeatedAt: iso(entry.repeatedAt),
  };
}

export function leaseToWire(lease: Lease, subnets: readonly Subnet[], now: number): LeaseWire {
  const isOver = lease.state === 'bound' && lease.expiresAt <= now;
  return {
    address: formatIpv4(lease.address),
    mac: lease.mac,
    uuid: lease.uuid ?? null,
    state: isOver ? 'expired' : lease.state,
    expires: iso(lease.expiresAt),
    subnet: findSubnet(subnets, lease.address)?.id ?? null,
  };
}

/** A client that does not tell its NIC is named by its DUID. */
export function lease6ToWire(lease: Lease6, subnets: readonly Subnet6[], now: number): LeaseWire {
  const isOver = lease.state === 'bound' && lease.expiresAt <= now;
  return {
    address: lease.address,
    mac: lease.mac ?? `DUID ${lease.duid}`,
    uuid: lease.uuid ?? null,
    state: isOver ? 'expired' : lease.state,
    expires: iso(lease.expiresAt),
    subnet: findSubnet6(subnets, lease.address)?.id ?? null,
  };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function plain(value: unknown, redactor: Redactor): AdminJson {
  switch (typeof value) {
    case 'string':
      return redactor.text(value);
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    default:
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((item) => plain(item, redactor));
      return redactor.text(JSON.stringify(value) ?? '');
  }
}
