import { apiV2, create, timestampFromMs } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { emptyContainer, type EventContainer } from '../../src/events/fsm.ts';
import { findIssues, LAST_ERROR_MS, type Examined } from '../../src/machine/issues.ts';
import { machineA, machineB } from '../support.ts';

const { MachineIssueType: Type, MachineIssueSeverity: Severity, MachineLiveliness: Liveliness } = apiV2;
const NOW = Date.parse('2026-06-01T10:00:00Z');
const MINUTE_MS = 60_000;

/** A machine with which nothing is wrong, changed. */
function examined(change: Partial<Examined> = {}): Examined {
  return {
    id: machineA,
    partition: 'lab',
    size: 'c1',
    project: '',
    events: events({}),
    liveliness: Liveliness.ALIVE,
    bmc: bmc(),
    asns: [],
    ...change,
  };
}

function bmc(address = '10.9.0.1:623', mac = '52:54:00:00:00:01', agoMs = 0): apiV2.MachineBMCReport {
  return create(apiV2.MachineBMCReportSchema, { bmc: { address, mac }, updatedAt: timestampFromMs(NOW - agoMs) });
}

function events(change: Partial<EventContainer>): EventContainer {
  return { ...emptyContainer, lastEventAt: NOW, ...change };
}

const errorAt = (at: number): Partial<Examined> => ({
  events: events({ lastError: { at, type: apiV2.MachineProvisioningEventType.CRASHED, message: 'no disk' } }),
});
const NEVER_HEARD: Partial<Examined> = { events: emptyContainer, liveliness: Liveliness.UNKNOWN };
const options = { now: NOW, lastErrorWithinMs: LAST_ERROR_MS };
const typesOf = (...list: readonly Examined[]): Record<string, readonly apiV2.MachineIssueType[]> =>
  Object.fromEntries([...findIssues(list, options)].map(([id, issues]) => [id, issues.map(({ type }) => type)]));

describe('a machine', () => {
  test.each<[string, Partial<Examined>, readonly apiV2.MachineIssueType[]]>([
    ['with which all is well', {}, []],
    ['in no partition', { partition: '' }, [Type.NO_PARTITION]],
    ['that never sent an event', NEVER_HEARD, [Type.NO_EVENT_CONTAINER, Type.LIVELINESS_NOT_AVAILABLE]],
    ['that is dead', { liveliness: Liveliness.DEAD }, [Type.LIVELINESS_DEAD]],
    ['of which nobody knows', { liveliness: Liveliness.UNKNOWN }, [Type.LIVELINESS_UNKNOWN]],
    ['that boots again and again', { events: events({ crashLoop: true }) }, [Type.CRASH_LOOP]],
    ['that was not reclaimed', { events: events({ failedReclaim: true }) }, [Type.FAILED_MACHINE_RECLAIM]],
    ['with an error of a week ago', errorAt(NOW - LAST_ERROR_MS), [Type.LAST_EVENT_ERROR]],
    ['with an error before that', errorAt(NOW - LAST_ERROR_MS - 1), []],
    ['whose BMC has no address', { bmc: bmc('') }, [Type.BMC_WITHOUT_IP]],
    ['whose BMC waits for an address', { bmc: bmc('0.0.0.0:623') }, [Type.BMC_WITHOUT_IP]],
    ['whose BMC has no MAC address', { bmc: bmc('10.9.0.1:623', '') }, [Type.BMC_WITHOUT_MAC]],
    ['of whose BMC nothing is known', { bmc: undefined }, [Type.BMC_WITHOUT_IP, Type.BMC_WITHOUT_MAC]],
    ['whose BMC was reported twenty minutes ago', { bmc: bmc('10.9.0.1:623', 'x', 20 * MINUTE_MS) }, []],
    [
      'whose BMC was reported before that',
      { bmc: bmc('10.9.0.1:623', 'x', 20 * MINUTE_MS + 1) },
      [Type.BMC_INFO_OUTDATED],
    ],
  ])('%s', (_name, change, types) => {
    expect(typesOf(examined(change))[machineA] ?? []).toEqual(types);
  });
});

test('two machines with one BMC address, or one AS number, are both an issue, and a third is none', () => {
  const id = 'cccccccc-0000-4000-8000-00000000000c';
  const third = examined({ id, bmc: bmc('10.9.0.3:623'), asns: [3] });
  const other = { id: machineB, bmc: bmc('10.9.0.2:623') };
  expect(typesOf(examined(), examined({ id: machineB, bmc: bmc('10.9.0.1:624') }), third)).toEqual({
    [machineA]: [Type.BMC_NON_DISTINCT_IP],
    [machineB]: [Type.BMC_NON_DISTINCT_IP],
  });
  expect(typesOf(examined({ asns: [1, 2] }), examined({ ...other, asns: [2] }), third)).toEqual({
    [machineA]: [Type.ASN_UNIQUENESS],
    [machineB]: [Type.ASN_UNIQUENESS],
  });
});

test('every issue of the contract is found, and says in words what it means and what to do', () => {
  const all = [
    { ...NEVER_HEARD, partition: '', asns: [1] },
    { ...errorAt(NOW), asns: [1] },
    { liveliness: Liveliness.DEAD },
    { liveliness: Liveliness.UNKNOWN },
    { events: events({ crashLoop: true }) },
    { events: events({ failedReclaim: true }) },
    { bmc: bmc('', '') },
    { bmc: bmc('10.9.0.9:623', 'x', 21 * MINUTE_MS) },
  ].map((change, index) => examined({ ...change, id: `machine ${index}` }));
  const issues = [...findIssues(all, options).values()].flat();
  const severities = new Map(issues.map(({ type, severity }) => [type, severity]));
  const byNumber = (types: Iterable<number>): number[] => [...types].toSorted((a, b) => a - b);
  expect(byNumber(severities.keys())).toEqual(
    byNumber(Object.values(Type).filter((type) => type !== Type.UNSPECIFIED)),
  );
  for (const { description } of issues) expect(description).toMatch(/^[a-z].{20,}/);
  const those = (wanted: apiV2.MachineIssueSeverity): number[] =>
    byNumber([...severities].filter(([, severity]) => severity === wanted).map(([type]) => type));
  expect(those(Severity.CRITICAL)).toEqual([Type.FAILED_MACHINE_RECLAIM]);
  expect(those(Severity.MINOR)).toEqual(
    byNumber([Type.ASN_UNIQUENESS, Type.LAST_EVENT_ERROR, Type.LIVELINESS_NOT_AVAILABLE]),
  );
  const error = issues.find(({ type }) => type === Type.LAST_EVENT_ERROR);
  expect(error?.details).toBe('2026-06-01T10:00:00.000Z Crashed: no disk');
});
