import { apiV2 } from '@ingot/api';
import { noContainer, type StoredContainer } from '../events/event-store.ts';
import { Overtaken, untilAlone } from '../store/overtaken.ts';
import type { Stores } from '../store/stores.ts';
import { findOrCreateMachine, machineIdOf, newMachine } from './machine-records.ts';

const Type: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// Enough for a stack trace; a machine has a hundred of them stored.
const MAX_MESSAGE = 8 * 1024;

/** Something that was heard of a machine. */
export interface Heard {
  /** As it was sent. */
  readonly uuid: string;
  readonly event: apiV2.MachineProvisioningEventType;
  readonly message: string;
}

/** How many events were taken, and the UUIDs of those that were not. */
export interface Noted {
  readonly events: bigint;
  readonly failed: string[];
}

/**
 * Notes that a machine asks for an address, which may be the first that is heard of it, and where. `check` may refuse it,
 * within the transaction.
 */
export async function noteBoot(
  stores: Stores,
  id: string,
  partition: string,
  check: (inner: Stores) => Promise<unknown>,
): Promise<void> {
  await untilAlone(async () => {
    const machine = await stores.machines.get(id);
    const before = await stores.events.container(id);
    await stores.transaction(async (inner) => {
      await check(inner);
      if (machine === undefined) await add(inner, id, partition);
      else if ((machine.value.partition?.id ?? '') === '') await findOrCreateMachine(inner, id, partition);
      else await refuseGone(inner, id, before);
      await inner.events.add(id, Type.PXE_BOOTING, 'asked for an address', before);
    });
  });
}

/** Takes events of machines at the server's own time; one of which nobody has heard yet is known from then on. */
export function noteEvents(stores: Stores, heard: readonly Heard[]): Promise<Noted> {
  return untilAlone(async () => {
    const ids = heard.map(({ uuid }) => machineIdOf(uuid)).filter((id) => UUID.test(id));
    const before = await stores.events.containers(ids);
    const silent = ids.filter((id) => !before.has(id));
    const known = new Set([...before.keys(), ...(await stores.machines.getMany(silent)).keys()]);
    return stores.transaction((inner) => note(inner, heard, before, known));
  });
}

/** `before` and `known` were read before the transaction. Throws `Overtaken`. */
async function note(
  stores: Stores,
  heard: readonly Heard[],
  before: ReadonlyMap<string, StoredContainer>,
  known: ReadonlySet<string>,
): Promise<Noted> {
  const failed: string[] = [];
  const containers = new Map(before);
  for (const { uuid, event, message } of heard) {
    const id = machineIdOf(uuid);
    const container = containers.get(id) ?? noContainer;
    const isKnown = known.has(id) || container.revision > 0;
    // An installed system that nobody was given is a tenant's invention, or was forgotten; see docs/decisions.md.
    if (!UUID.test(id) || !isKnownEvent(event) || (event === Type.PHONED_HOME && !isKnown)) {
      failed.push(uuid);
      continue;
    }
    if (isKnown) await refuseGone(stores, id, container);
    else await add(stores, id);
    const text = message.slice(0, MAX_MESSAGE).replaceAll('\0', '\u{fffd}');
    containers.set(id, await stores.events.add(id, event, text, container));
  }
  return { events: BigInt(heard.length - failed.length), failed };
}

/** Whether it is an event of the contract that says something. */
export function isKnownEvent(event: apiV2.MachineProvisioningEventType): boolean {
  return KNOWN.has(event);
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(Type).filter((type) => type !== Type.UNSPECIFIED));

/** Stores a machine that there was not just before. Throws `Overtaken` when there is. */
async function add(stores: Stores, id: string, partition?: string): Promise<void> {
  await stores.machines.swap(undefined, id, await newMachine(stores, id, partition));
}

/**
 * Throws `Overtaken` for a machine that was taken out of the records since its events were read. A container that is stored
 * goes with its machine, so who writes over it finds out by itself.
 */
async function refuseGone(stores: Stores, id: string, { revision }: StoredContainer): Promise<void> {
  if (revision > 0 || (await stores.machines.has(id))) return;
  throw new Overtaken(`machine ${id} was taken out of the records`);
}
