import { type adminV2, ApiError, apiV2, Code, create } from '@ingot/api';
import { mockEntropy } from '@ingot/net';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { allocateMachine } from '../../src/allocation/allocate-machine.ts';
import { capacitiesOf } from '../../src/allocation/capacity.ts';
import { examine } from '../../src/machine/examine.ts';
import { findIssues, LAST_ERROR_MS } from '../../src/machine/issues.ts';
import { WIPE_LABEL } from '../../src/machine/wipe-label.ts';
import { createStores } from '../../src/store/stores.ts';
import { MockClock } from '../support.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';
import { machineId } from './hall.ts';

const { MachineState: State, MachineProvisioningEventType: Event } = apiV2;
const PARTITIONS = ['far', 'lab'] as const;
const SIZES = ['c1', 'c2'] as const;
const PROJECTS = ['a', 'b', 'c'] as const;
const NOBODY = undefined;
/** Of silence, after which a machine is dead. */
const FIVE_MINUTES = 300_000;
/** How long a Wait stream counts that nobody renews. */
const SEAT = 90_000;

const clock = new MockClock();
const entropy = mockEntropy(6);
await using cleanup = new AsyncDisposableStack();
const place = cleanup.use(await sqlitePlace());
const database = cleanup.use(await place.open());
const stores = createStores(database, clock);
/** The stores as they were used so long ago, milliseconds. */
const ago = (ms: number) => createStores(database, new MockClock({ nowMs: clock.now() - ms }));
const kept = cleanup.move();
afterAll(() => kept.disposeAsync());

for (const id of PARTITIONS) await stores.partitions.create(id, create(apiV2.PartitionSchema, { id }));
for (const id of SIZES) await stores.sizes.create(id, create(apiV2.SizeSchema, { id }));
await stores.images.create(
  'debian-12.0.1',
  create(apiV2.ImageSchema, { id: 'debian-12.0.1', features: [apiV2.ImageFeature.MACHINE] }),
);
await stores.filesystemLayouts.create(
  'tmp',
  create(apiV2.FilesystemLayoutSchema, { id: 'tmp', constraints: { sizes: [...SIZES], images: { debian: '*' } } }),
);
for (const project of PROJECTS) {
  await stores.projects.create(project, create(apiV2.ProjectSchema, { uuid: project }));
  const [id, type] = [`net-${project}`, apiV2.NetworkType.CHILD];
  await stores.networks.create(id, create(apiV2.NetworkSchema, { id, type, project, prefixes: ['10.0.0.0/24'] }));
}

const machine = fc.record({
  partition: fc.constantFrom(...PARTITIONS),
  size: fc.constantFrom(...SIZES),
  owner: fc.constantFrom(NOBODY, NOBODY, NOBODY, ...PROJECTS),
  state: fc.constantFrom(State.UNSPECIFIED, State.AVAILABLE, State.AVAILABLE, State.LOCKED, State.TAINTED),
  toWipe: fc.constantFrom(false, false, false, true),
  events: fc.constantFrom(
    [],
    [Event.WAITING],
    [Event.WAITING],
    [Event.PHONED_HOME],
    [Event.PXE_BOOTING, Event.PREPARING],
    [Event.WAITING, Event.PREPARING],
    [Event.INSTALLING, Event.CRASHED],
  ),
  silentMs: fc.constantFrom(0, 0, FIVE_MINUTES, FIVE_MINUTES + 1),
  waitsSinceMs: fc.constantFrom(NOBODY, 0, 0, 0, SEAT - 1, SEAT),
  /** Switches of its cables. */
  cables: fc.constantFrom(['leaf01', 'leaf02'], ['leaf01', 'leaf02'], ['leaf01', 'leaf02'], ['leaf01', 'leaf01'], []),
  /** Two with one address are faulty, wherever they are. */
  bmc: fc.constantFrom(NOBODY, '10.9.0.1:623', '10.9.0.2:623', '10.9.0.3:623', '10.9.0.4:623'),
});
type Given = (typeof machine extends fc.Arbitrary<infer T> ? T : never) & { readonly id: string };
const reservation = fc.record({
  project: fc.constantFrom(...PROJECTS),
  size: fc.constantFrom(...SIZES),
  partitions: fc.subarray([...PARTITIONS], { minLength: 1 }),
  amount: fc.integer({ min: 1, max: 4 }),
});
type Promised = typeof reservation extends fc.Arbitrary<infer T> ? T : never;

/** Makes the hall anew. */
async function furnish(machines: readonly Given[], reservations: readonly Promised[]): Promise<void> {
  for (const table of [
    'machine',
    'event',
    'event_container',
    'waiting',
    'switch_connection',
    'size_reservation',
    'ip',
    'pool_number',
  ])
    await database.run(`DELETE FROM ${table}`);
  for (const { id, partition, size, owner, state, toWipe, events, silentMs, waitsSinceMs, cables, bmc } of machines) {
    const made = create(apiV2.MachineSchema, { uuid: id, partition: { id: partition }, size: { id: size } });
    if (state !== State.UNSPECIFIED) made.status = create(apiV2.MachineStatusSchema, { condition: { state } });
    if (toWipe) made.meta = create(apiV2.MetaSchema, { labels: { labels: { [WIPE_LABEL]: 'x' } } });
    if (owner !== NOBODY) made.allocation = create(apiV2.MachineAllocationSchema, { uuid: id, project: owner });
    await stores.machines.create(id, made);
    for (const event of events) await ago(silentMs).events.add(id, event, '');
    if (waitsSinceMs !== undefined) await ago(waitsSinceMs).waiting.enter(id, `seat of ${id}`);
    for (const [index, switchId] of cables.entries())
      await stores.ports.claim({ switchId, port: `${id} ${index}`, identifier: 'x', mac: undefined, machineId: id });
    const report = { uuid: id, bmc: { address: bmc ?? '', mac: '52:54:00:00:00:01' } };
    await stores.bmcs.put(id, create(apiV2.MachineBMCReportSchema, report));
  }
  for (const [index, one] of reservations.entries())
    await stores.sizeReservations.create(`r${index}`, create(apiV2.SizeReservationSchema, one));
}

async function rowsOf(project?: string, size?: string): Promise<Map<string, adminV2.MachineSizeCapacity>> {
  const capacities = await stores.transaction((inner) => capacitiesOf(inner, clock, PARTITIONS, { project, size }), {
    mode: 'read',
  });
  return new Map(
    capacities.flatMap(({ partition, machineSizeCapacities }) =>
      machineSizeCapacities.map((row): [string, adminV2.MachineSizeCapacity] => [`${partition} ${row.size}`, row]),
    ),
  );
}

/** Whether a machine can be given away, by the words of the contract. */
const isFree = ({ owner, state, toWipe, events, silentMs, waitsSinceMs, cables }: Given): boolean =>
  owner === NOBODY &&
  state !== State.LOCKED &&
  state !== State.TAINTED &&
  !toWipe &&
  events.length > 0 &&
  silentMs <= FIVE_MINUTES &&
  new Set(cables).size === 2 &&
  waitsSinceMs !== undefined &&
  waitsSinceMs < SEAT;

async function allocate(wish: Partial<apiV2.MachineServiceCreateRequest> & { project: string }): Promise<boolean> {
  const networks = [create(apiV2.MachineAllocationNetworkSchema, { network: `net-${wish.project}` })];
  const request = create(apiV2.MachineServiceCreateRequestSchema);
  Object.assign(request, { name: 'web', image: 'debian-12.0.1', networks, ...wish });
  try {
    await stores.transaction((inner) => allocateMachine(inner, request, { clock, entropy, user: 'test' }));
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.code === Code.ResourceExhausted || error.code === Code.FailedPrecondition))
      return false;
    throw error;
  }
}

test('the counts of a capacity add up, and agree with what allocation permits', async () => {
  const wish = fc.record({
    project: fc.constantFrom(...PROJECTS),
    partition: fc.constantFrom(...PARTITIONS),
    size: fc.constantFrom(...SIZES),
    named: fc.nat(99),
  });
  const machines = fc.array(machine, { maxLength: 14 });
  const property = fc.asyncProperty(machines, fc.array(reservation, { maxLength: 4 }), wish, async (some, list, w) => {
    const given: Given[] = some.map((one, index) => ({ ...one, id: machineId(index) }));
    await furnish(given, list);
    const examined = await examine(stores, clock);
    const issues = findIssues(examined, { now: clock.now(), lastErrorWithinMs: LAST_ERROR_MS });
    const rows = await rowsOf();
    for (const partition of PARTITIONS)
      for (const size of SIZES) {
        const row = rows.get(`${partition} ${size}`);
        const all = given.filter((one) => one.partition === partition && one.size === size);
        const counted = all.filter(({ events }) => events.length > 0);
        const promised = PROJECTS.map((project) => {
          const mine = list.filter((r) => r.project === project && r.size === size && r.partitions.includes(partition));
          const amount = mine.reduce((sum, one) => sum + one.amount, 0);
          return { amount, used: Math.min(amount, all.filter(({ owner }) => owner === project).length) };
        });
        const reservations = promised.reduce((sum, { amount }) => sum + amount, 0);
        const used = promised.reduce((sum, one) => sum + one.used, 0);
        if (counted.length === 0 && reservations === 0) {
          expect(row).toBeUndefined();
          continue;
        }
        const allocatable = counted.filter(isFree).length;
        expect(row).toMatchObject({
          total: BigInt(counted.length),
          allocated: BigInt(counted.filter(({ owner }) => owner !== NOBODY).length),
          allocatable: BigInt(allocatable),
          reservations: BigInt(reservations),
          usedReservations: BigInt(used),
          remainingReservations: BigInt(reservations - used),
          free: BigInt(Math.max(0, allocatable - (reservations - used))),
        });
        if (row === undefined) continue;
        expect(row.allocated + row.allocatable + row.unavailable).toBe(row.total);
        expect(row.phonedHome + row.waiting + row.other).toBe(row.total);
        expect(row.otherMachines).toHaveLength(Number(row.other));
        expect(row.faultyMachines).toHaveLength(Number(row.faulty));
        expect(row.faultyMachines).toEqual(
          counted
            .map(({ id }) => id)
            .filter((id) => issues.get(id)?.some(({ type }) => type !== apiV2.MachineIssueType.LAST_EVENT_ERROR)),
        );
      }
    // Who asks for one size is told what who asks for all is told.
    for (const size of SIZES) {
      const ofOne = [...rows].filter(([, row]) => row.size === size);
      expect([...(await rowsOf(undefined, size))]).toEqual(ofOne);
    }

    const { project, partition, size } = w;
    const free = async (): Promise<number> => Number((await rowsOf(project)).get(`${partition} ${size}`)?.free ?? 0);
    let left = await free();
    const here = given.filter((one) => one.partition === partition && one.size === size);
    const uuid = here[w.named % Math.max(1, here.length)]?.id;
    const named = here.find(({ id }) => id === uuid);
    if (uuid !== undefined && named !== undefined) {
      const got = await allocate({ project, uuid });
      expect(got).toBe(isFree(named) && left > 0);
      if (got) left -= 1;
    }
    for (; left > 0; left -= 1) {
      expect(await free()).toBe(left);
      expect(await allocate({ project, partition, size })).toBe(true);
    }
    expect(await free()).toBe(0);
    expect(await allocate({ project, partition, size })).toBe(false);
    for (const row of (await rowsOf()).values())
      expect(row.allocated + row.allocatable + row.unavailable).toBe(row.total);
  });
  await fc.assert(property, { numRuns: 60 });
});
