import { ApiError, apiV2, Code, create } from '@ingot/api';

/** Labels by which operators and machines talk to each other: orders, and answers to them. */
const OPERATOR_PREFIX = 'ingot.dev/';
/** What a machine says of its own hardware. */
const INVENTORY_PREFIX = 'ingot.inventory.';

/** An operator wants no planned reboots of a machine; its value says why. */
export const NO_REBOOT_LABEL = 'ingot.dev/no-reboot';

/** Labels that an allocation sets, with upstream's names: others rely on them. */
export const AllocationLabel = {
  Rack: 'machine.metal-stack.io/rack',
  Chassis: 'machine.metal-stack.io/chassis',
  PrimaryAsn: 'machine.metal-stack.io/network.primary.asn',
} as const;

const SET_BY_ALLOCATION: ReadonlySet<string> = new Set(Object.values(AllocationLabel));

type LabelMap = Readonly<Record<string, string>>;

/** Whether a tag of a registering machine would be an order, or an answer to one: a machine does not label itself so. */
export function isOperatorTag(tag: string): boolean {
  return tag.startsWith(OPERATOR_PREFIX);
}

/** Labels of a machine with the inventory that it tells now instead of an older one; as they are if it tells none. */
export function withInventory(labels: LabelMap, told: LabelMap): LabelMap {
  const of = (all: LabelMap, isInventory: boolean): [string, string][] =>
    Object.entries(all).filter(([key]) => key.startsWith(INVENTORY_PREFIX) === isInventory);
  const inventory = of(told, true);
  return inventory.length === 0 ? labels : Object.fromEntries([...of(labels, false), ...inventory]);
}

/** Throws `InvalidArgument` naming the labels that are not a tenant's to set or to take away. */
export function refuseReserved(keys: Iterable<string>): void {
  const reserved = [...keys].filter(isReserved);
  if (reserved.length === 0) return;
  throw new ApiError(
    Code.InvalidArgument,
    `these labels are not a tenant's to set or to take away: ${reserved.join(', ')}; leave out what begins with ` +
      `${OPERATOR_PREFIX} or ${INVENTORY_PREFIX}, and ${[...SET_BY_ALLOCATION].join(', ')}`,
  );
}

/** Throws `InvalidArgument` naming the labels that are not even an operator's to set or to take away by hand. */
export function refuseOrders(keys: Iterable<string>): void {
  const reserved = [...keys].filter((key) => isReserved(key) && key !== NO_REBOOT_LABEL);
  if (reserved.length === 0) return;
  throw new ApiError(
    Code.InvalidArgument,
    `these labels are what machines and allocations say, or orders and their answers: ${reserved.join(', ')}; of those ` +
      `that begin with ${OPERATOR_PREFIX} only ${NO_REBOOT_LABEL} is set by hand`,
  );
}

function isReserved(key: string): boolean {
  return key.startsWith(OPERATOR_PREFIX) || key.startsWith(INVENTORY_PREFIX) || SET_BY_ALLOCATION.has(key);
}

/** A machine's own labels with those of its allocation over them: what clients see. */
export function shownLabels({ meta, allocation }: apiV2.Machine): apiV2.Labels | undefined {
  const own = meta?.labels;
  const given = allocation?.meta?.labels;
  if (own === undefined || given === undefined) return own ?? given;
  return create(apiV2.LabelsSchema, { labels: { ...own.labels, ...given.labels } });
}

/**
 * Changes the labels of an allocation as its tenant asks. A tenant sees the machine's own labels among them and may send
 * them back, but they are not replaced, and go neither with a replacement nor with the allocation. Throws
 * `InvalidArgument` for a change of a label that is not the tenant's.
 */
export function updateTenantLabels(machine: apiV2.Machine, update: apiV2.UpdateLabels | undefined): void {
  const { allocation } = machine;
  if (update?.strategy.case === undefined || allocation === undefined) return;
  const shown: LabelMap = shownLabels(machine)?.labels ?? {};
  const given: LabelMap = allocation.meta?.labels?.labels ?? {};
  const [set, kept] = wanted(update.strategy, given);
  const changed = Object.entries(set).filter(([key, value]) => shown[key] !== value);
  refuseReserved(changed.map(([key]) => key));
  allocation.meta ??= create(apiV2.MetaSchema);
  // What came back unchanged of the machine's own stays the machine's.
  const added = Object.entries(set).filter(([key, value]) => key in given || shown[key] !== value);
  allocation.meta.labels = create(apiV2.LabelsSchema, { labels: { ...kept, ...Object.fromEntries(added) } });
}

type Strategy = Exclude<apiV2.UpdateLabels['strategy'], { case: undefined }>;

/** What is to be set, and what stays of the allocation's labels besides. */
function wanted(strategy: Strategy, given: LabelMap): readonly [LabelMap, LabelMap] {
  if (strategy.case === 'replace') {
    return [strategy.value.labels, Object.fromEntries(Object.entries(given).filter(([key]) => isReserved(key)))];
  }
  const removed = new Set(strategy.value.remove);
  refuseReserved(removed);
  return [
    strategy.value.update?.labels ?? {},
    Object.fromEntries(Object.entries(given).filter(([key]) => !removed.has(key))),
  ];
}
