import { apiV2, create, enumText, timestampMs } from '@ingot/api';
import type { EventContainer } from '../events/fsm.ts';

const { MachineIssueType: Type, MachineIssueSeverity: Severity, MachineLiveliness: Liveliness } = apiV2;

/** What is known about one machine. */
export interface Examined {
  readonly id: string;
  /** Empty for none; so is the project of a machine that nobody has. */
  readonly partition: string;
  readonly size: string;
  readonly project: string;
  readonly events: EventContainer;
  readonly liveliness: apiV2.MachineLiveliness;
  readonly bmc: apiV2.MachineBMCReport | undefined;
  /** What its networks announce with, each number once. */
  readonly asns: readonly number[];
}

export interface IssueOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How far back an error counts, milliseconds. */
  readonly lastErrorWithinMs: number;
}

/** What BMC agents report is older than this only when nobody looks after the controllers any more. */
const BMC_OUTDATED_MS = 20 * 60 * 1000;

/** The default of `last_error_threshold`. */
export const LAST_ERROR_MS: number = 7 * 24 * 60 * 60 * 1000;

const SEVERITY: Readonly<Partial<Record<apiV2.MachineIssueType, apiV2.MachineIssueSeverity>>> = {
  [Type.FAILED_MACHINE_RECLAIM]: Severity.CRITICAL,
  [Type.ASN_UNIQUENESS]: Severity.MINOR,
  [Type.LAST_EVENT_ERROR]: Severity.MINOR,
  [Type.LIVELINESS_NOT_AVAILABLE]: Severity.MINOR,
};

/** What each issue means, and what to do about it. */
const WORDS: Readonly<Partial<Record<apiV2.MachineIssueType, string>>> = {
  [Type.ASN_UNIQUENESS]: 'another machine announces with the same AS number: free one of them',
  [Type.BMC_INFO_OUTDATED]: 'nobody has reported its BMC lately: is the BMC service of the partition running?',
  [Type.BMC_NON_DISTINCT_IP]: 'another machine has the same BMC address: look at the DHCP leases of the BMCs',
  [Type.BMC_WITHOUT_IP]:
    'its BMC has no address, so it cannot be switched on or off: cable the BMC, and check its DHCP',
  [Type.BMC_WITHOUT_MAC]: 'the MAC address of its BMC is not known: let the machine register again',
  [Type.CRASH_LOOP]: 'it boots again and again without having said why: look at its console and its last error',
  [Type.FAILED_MACHINE_RECLAIM]:
    'it was freed, and its old system still runs: power it off, then boot it from the network',
  [Type.LAST_EVENT_ERROR]: 'its last error is not long ago: see its events',
  [Type.LIVELINESS_DEAD]: 'it has been silent for more than five minutes, and nobody has it: reset it by its BMC',
  [Type.LIVELINESS_UNKNOWN]: 'its system has been silent for more than five minutes: ask whoever has it',
  [Type.LIVELINESS_NOT_AVAILABLE]: 'it is not known whether it lives: it never sent an event',
  [Type.NO_EVENT_CONTAINER]: 'it never sent an event: did it ever boot from the network?',
  [Type.NO_PARTITION]: 'it belongs to no partition: boot it by the boot server of one',
};

/** Whether it ever sent an event. */
export function hasEvents({ events }: Examined): boolean {
  return events.lastEventAt !== undefined;
}

/** Everything that is wrong with each machine, by what is known of all of them; nothing for a good one. */
export function findIssues(
  examined: readonly Examined[],
  options: IssueOptions,
): Map<string, readonly apiV2.MachineIssue[]> {
  const holders = countBy(examined.flatMap(({ asns }) => asns));
  const addresses = countBy(examined.flatMap(({ bmc }) => hostOf(bmc) ?? []));
  const found = new Map<string, readonly apiV2.MachineIssue[]>();
  for (const one of examined) {
    const issues = [...typesOf(one, options, holders, addresses)].map(([type, details]) =>
      create(apiV2.MachineIssueSchema, {
        type,
        severity: SEVERITY[type] ?? Severity.MAJOR,
        description: WORDS[type] ?? '',
        details,
      }),
    );
    if (issues.length > 0) found.set(one.id, issues);
  }
  return found;
}

function typesOf(
  examined: Examined,
  { now, lastErrorWithinMs }: IssueOptions,
  asns: ReadonlyMap<number, number>,
  addresses: ReadonlyMap<string, number>,
): Map<apiV2.MachineIssueType, string> {
  const found = new Map<apiV2.MachineIssueType, string>();
  const { bmc, events, liveliness } = examined;
  const isKnown = hasEvents(examined);
  if (examined.partition === '') found.set(Type.NO_PARTITION, '');
  if (!isKnown) found.set(Type.NO_EVENT_CONTAINER, '');
  if (liveliness === Liveliness.DEAD) found.set(Type.LIVELINESS_DEAD, '');
  if (liveliness === Liveliness.UNKNOWN && isKnown) found.set(Type.LIVELINESS_UNKNOWN, '');
  if (!isKnown) found.set(Type.LIVELINESS_NOT_AVAILABLE, '');
  // Clients see one state; of both it is the failed reclaim, which is worse.
  if (events.failedReclaim) found.set(Type.FAILED_MACHINE_RECLAIM, '');
  else if (events.crashLoop) found.set(Type.CRASH_LOOP, '');
  const error = events.lastError;
  if (error !== undefined && now - error.at <= lastErrorWithinMs) {
    const event = enumText(apiV2.MachineProvisioningEventTypeSchema, error.type);
    found.set(Type.LAST_EVENT_ERROR, `${new Date(error.at).toISOString()} ${event}: ${error.message}`);
  }
  const address = hostOf(bmc);
  if (address === undefined) found.set(Type.BMC_WITHOUT_IP, '');
  else if ((addresses.get(address) ?? 0) > 1) found.set(Type.BMC_NON_DISTINCT_IP, address);
  if ((bmc?.bmc?.mac ?? '') === '') found.set(Type.BMC_WITHOUT_MAC, '');
  // Whoever only registered has never had its controller looked at from outside.
  const seen = bmc?.updatedAt;
  if (seen !== undefined && now - timestampMs(seen) > BMC_OUTDATED_MS)
    found.set(Type.BMC_INFO_OUTDATED, `last reported ${new Date(timestampMs(seen)).toISOString()}`);
  const twice = examined.asns.filter((asn) => (asns.get(asn) ?? 0) > 1);
  if (twice.length > 0) found.set(Type.ASN_UNIQUENESS, twice.join(', '));
  return found;
}

function hostOf(bmc: apiV2.MachineBMCReport | undefined): string | undefined {
  const address = bmc?.bmc?.address.replace(/:\d+$/, '') ?? '';
  return address === '' || address === '0.0.0.0' ? undefined : address;
}

function countBy<T>(items: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
