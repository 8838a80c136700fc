import { ApiError, apiV2, Code, create, enumText } from '@ingot/api';
import type { Stored } from '../store/entity-table.ts';
import { untilAlone } from '../store/overtaken.ts';
import type { Stores } from '../store/stores.ts';
import { withPorts } from '../views/switch-view.ts';
import { replaceFromTwin } from './replace-switch.ts';

/**
 * Creates or updates a switch. Connections, VRFs, filters and desired port states belong to the control plane and are
 * kept; the rest is what the switch says. Idempotent. Errors say what to do.
 */
export function registerSwitch(outer: Stores, registered: apiV2.Switch): Promise<Stored<apiV2.Switch>> {
  return untilAlone(async () => {
    // All switches of a new hall come at once: nothing is read then that the others write.
    const isNew = !(await outer.switches.has(registered.id));
    return outer.transaction((stores) => store(stores, registered, isNew));
  });
}

async function store(stores: Stores, registered: apiV2.Switch, isNew: boolean): Promise<Stored<apiV2.Switch>> {
  await check(stores, registered);
  const stored = isNew ? undefined : await stores.switches.get(registered.id);
  const known = stored === undefined ? undefined : await withPorts(stores, stored);
  const replaces =
    known?.replaceMode === apiV2.SwitchReplaceMode.REPLACE ||
    registered.replaceMode === apiV2.SwitchReplaceMode.REPLACE;
  const nics = registered.nics.map((nic) => {
    const old = known?.nics.find((candidate) => candidate.name === nic.name);
    const kept = create(apiV2.SwitchNicSchema, {
      name: nic.name,
      identifier: nic.identifier === '' ? (nic.mac ?? '') : nic.identifier,
      // The actual state is in the status: a link that comes and goes is no change of what was registered.
      state: create(apiV2.NicStateSchema, { actual: apiV2.SwitchPortStatus.UNKNOWN }),
    });
    if (nic.mac !== undefined) kept.mac = nic.mac;
    if (old?.bgpFilter !== undefined) kept.bgpFilter = old.bgpFilter;
    if (old?.state?.desired !== undefined && kept.state !== undefined) kept.state.desired = old.state.desired;
    return kept;
  });
  const value = create(apiV2.SwitchSchema, {
    ...registered,
    replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
    nics,
    machineConnections: [],
  });
  const tookOver = replaces && (await replaceFromTwin(stores, known ?? registered, value));
  if (known !== undefined && !tookOver) checkUpdate(known, registered, replaces);
  const names = new Set(nics.map(({ name }) => name));
  for (const { name, vrf } of known?.nics ?? [])
    if (vrf !== undefined && !names.has(name)) await stores.ports.setVrf(registered.id, name, undefined);
  // What only operators set survives the agent, which does not know it.
  if (registered.consoleCommand === undefined && known?.consoleCommand !== undefined) {
    value.consoleCommand = known.consoleCommand;
  }
  delete value.lastSync;
  delete value.lastSyncError;
  delete value.meta;
  if (known?.meta !== undefined) value.meta = known.meta;
  const written = isNew
    ? await stores.switches.swap(undefined, registered.id, value)
    : await stores.switches.put(registered.id, value);
  await noteActualStates(stores, registered, isNew);
  return written;
}

async function check(stores: Stores, { id, partition, nics }: apiV2.Switch): Promise<void> {
  if ((await stores.partitions.get(partition)) === undefined) {
    throw new ApiError(Code.NotFound, `there is no partition "${partition}": define it first`);
  }
  const stateless = nics.filter((nic) => nic.state === undefined).map((nic) => nic.name);
  if (stateless.length > 0) {
    throw new ApiError(
      Code.InvalidArgument,
      `ports without state: ${stateless.join(', ')}: report state.actual for all`,
    );
  }
  const twice = [
    ...repeated(nics.map((nic) => nic.name)).map((name) => `name ${name}`),
    ...repeated(nics.map((nic) => (nic.identifier === '' ? (nic.mac ?? '') : nic.identifier))).map(
      (identifier) => `identifier ${identifier}`,
    ),
  ];
  if (twice.length > 0) {
    throw new ApiError(Code.InvalidArgument, `several ports of switch ${id} have the same ${twice.join(', ')}`);
  }
}

/** A switch in the place of another one may run another system; machines that it has keep their ports all the same. */
function checkUpdate(known: apiV2.Switch, registered: apiV2.Switch, replaces: boolean): void {
  const before = known.os?.vendor ?? apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_UNSPECIFIED;
  const after = registered.os?.vendor ?? apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_UNSPECIFIED;
  if (before !== after && !replaces) {
    const text = (vendor: apiV2.SwitchOSVendor): string => enumText(apiV2.SwitchOSVendorSchema, vendor);
    throw new ApiError(
      Code.FailedPrecondition,
      `switch ${known.id} ran ${text(before)} and now runs ${text(after)}: its ports have other names; ask for it to be replaced first`,
    );
  }
  if (known.machineConnections.length === 0) return;
  if (known.partition !== registered.partition || (known.rack ?? '') !== (registered.rack ?? '')) {
    throw new ApiError(
      Code.FailedPrecondition,
      `switch ${known.id} is in partition "${known.partition}", rack "${known.rack ?? ''}" and has machines: ` +
        'it cannot move; correct its configuration or delete the machines',
    );
  }
  for (const connection of known.machineConnections) {
    const name = connection.nic?.name ?? '';
    const now = registered.nics.find((nic) => nic.name === name);
    if (now === undefined || now.identifier !== (connection.nic?.identifier ?? '')) {
      throw new ApiError(
        Code.FailedPrecondition,
        `port ${name} (identifier ${connection.nic?.identifier ?? ''}) of switch ${known.id} is connected to machine ` +
          `${connection.machineId} and cannot be ${now === undefined ? 'removed' : `renamed to ${now.identifier}`}: ` +
          'delete the machine first',
      );
    }
  }
}

/** A registration is as good a report of the ports as a heartbeat. */
async function noteActualStates(stores: Stores, registered: apiV2.Switch, isNew: boolean): Promise<void> {
  const status = isNew ? create(apiV2.SwitchSchema) : await stores.switchStatus.get(registered.id);
  const before = new Map(status.nics.map((nic) => [nic.name, nic]));
  status.nics = registered.nics.map((nic) => {
    const session = before.get(nic.name)?.bgpPortState;
    return create(apiV2.SwitchNicSchema, {
      name: nic.name,
      state: { actual: nic.state?.actual ?? apiV2.SwitchPortStatus.UNKNOWN },
      ...(session === undefined ? {} : { bgpPortState: session }),
    });
  });
  await stores.switchStatus.put(registered.id, status);
}

function repeated(items: readonly string[]): string[] {
  return [...new Set(items.filter((item, index) => items.indexOf(item) !== index))];
}
