import type { BmcConnection, BootDevice, PowerAction } from '../controller.ts';
import { BmcError, BmcErrorCode } from '../errors.ts';
import { findChassis } from './chassis.ts';
import { allowedResets, findSystem, readSystem, type ComputerSystem } from './computer-system.ts';
import { inspectRedfish } from './redfish-inspector.ts';
import type { RedfishSession } from './redfish-session.ts';

export interface RedfishOptions {
  readonly session: RedfishSession;
  /** The machine's UUID, for a BMC of several; undefined: of one. */
  readonly machine: string | undefined;
  readonly uefi: boolean;
}

/** DSP2046, ComputerSystem: the resets that do what is asked, the best first. */
const RESETS: Readonly<Record<PowerAction, readonly [string, ...string[]]>> = {
  on: ['On', 'ForceOn'],
  off: ['ForceOff'],
  reset: ['ForceRestart'],
  cycle: ['PowerCycle'],
};
const BOOT_TARGETS: Readonly<Record<BootDevice, string>> = { pxe: 'Pxe', disk: 'Hdd', bios: 'BiosSetup' };

/** A BMC that speaks Redfish. The system is read anew for each step: its ETag changes with it. */
export function redfishController({ session, machine, uefi }: RedfishOptions): BmcConnection {
  const { call } = session;
  let path: string | undefined;
  const system = async (): Promise<ComputerSystem> => {
    const found = path === undefined ? await findSystem(call, machine) : await readSystem(call, path);
    path = found.path;
    return found;
  };
  return {
    isOn: async () => powerStateOf(await system()),
    async power(action) {
      const reset = (await system()).value.Actions?.['#ComputerSystem.Reset'];
      if (!reset) throw unsupported('has no reset for this machine');
      const allowed = await allowedResets(call, reset);
      const type = RESETS[action].find((each) => allowed?.includes(each) ?? true);
      if (type === undefined)
        throw unsupported(`cannot do ${RESETS[action].join(' or ')}, only ${allowed?.join(', ')}`);
      await call('POST', reset.target, { body: { ResetType: type } });
    },
    async bootNext(device) {
      const { path: at, etag, value } = await system();
      const target = BOOT_TARGETS[device];
      const allowed = value.Boot?.['BootSourceOverrideTarget@Redfish.AllowableValues'];
      if (!value.Boot || (allowed && !allowed.includes(target))) throw unsupported(`cannot boot from ${target} once`);
      const wanted = uefi ? 'UEFI' : 'Legacy';
      const mode = value.Boot.BootSourceOverrideMode;
      const change = {
        BootSourceOverrideEnabled: 'Once',
        BootSourceOverrideTarget: target,
        // Many BMCs have no such property, and refuse it; others refuse to be told what is so already.
        ...(mode && mode !== wanted ? { BootSourceOverrideMode: wanted } : {}),
      };
      await call('PATCH', at, { body: { Boot: change }, etag });
    },
    async identify(lit) {
      const found = await system();
      // Some BMCs have the LED of a machine at its chassis.
      const holder = hasLed(found) ? found : await findChassis(call, found);
      if (holder === undefined || !hasLed(holder)) throw unsupported('has no identify LED for this machine');
      // IndicatorLED is deprecated since ComputerSystem 1.13 and Chassis 1.14, and all that older BMCs have.
      const change =
        typeof holder.value.LocationIndicatorActive === 'boolean'
          ? { LocationIndicatorActive: lit }
          : { IndicatorLED: lit ? 'Blinking' : 'Off' };
      await call('PATCH', holder.path, { body: change, etag: holder.etag });
    },
    async inspect() {
      const found = await system();
      const facts = await inspectRedfish(call, found, powerStateOf(found));
      const uuid = found.value.UUID?.toLowerCase();
      return uuid !== undefined && isUuid(uuid) ? { ...facts, uuid } : facts;
    },
    close: () => session.close(),
  };
}

/** All zeros and all ones stand for a machine that has none (SMBIOS, 7.2.1). */
function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) && !/^(?:0|f)[0f-]*$/.test(text);
}

function powerStateOf({ value: { PowerState: state } }: ComputerSystem): boolean {
  // PoweringOn and PoweringOff stand for where they lead.
  if (state === 'On' || state === 'PoweringOn') return true;
  if (state === 'Off' || state === 'PoweringOff') return false;
  throw new BmcError(BmcErrorCode.Answer, 'the BMC does not say whether the machine is on');
}

function hasLed({ value }: Pick<ComputerSystem, 'value'> | { readonly value: LedProperties }): boolean {
  return typeof value.LocationIndicatorActive === 'boolean' || Boolean(value.IndicatorLED);
}

interface LedProperties {
  readonly LocationIndicatorActive?: boolean | null | undefined;
  readonly IndicatorLED?: string | null | undefined;
}

function unsupported(words: string): BmcError {
  return new BmcError(BmcErrorCode.Unsupported, `the BMC ${words}; its firmware may be too old`);
}
