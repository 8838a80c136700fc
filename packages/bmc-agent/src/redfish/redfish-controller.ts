import type { BmcController, BootDevice, PowerAction } from '../controller.ts';
import { BmcError, BmcErrorCode } from '../errors.ts';
import { allowedResets, findSystem, type ComputerSystem } from './computer-system.ts';
import type { RedfishCall } from './redfish-call.ts';

export interface RedfishOptions {
  readonly call: RedfishCall;
  /** The machine's UUID, for a BMC of several. */
  readonly machine: string;
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
export function redfishController({ call, machine, uefi }: RedfishOptions): BmcController {
  const system = (): Promise<ComputerSystem> => findSystem(call, machine);
  return {
    async isOn() {
      const { PowerState: state } = (await system()).value;
      // PoweringOn and PoweringOff stand for where they lead.
      if (state === 'On' || state === 'PoweringOn') return true;
      if (state === 'Off' || state === 'PoweringOff') return false;
      throw new BmcError(BmcErrorCode.Answer, 'the BMC does not say whether the machine is on');
    },
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
      const { path, etag, value } = await system();
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
      await call('PATCH', path, { body: { Boot: change }, etag });
    },
    async identify(lit) {
      const { path, etag, value } = await system();
      if (typeof value.LocationIndicatorActive === 'boolean')
        await call('PATCH', path, { body: { LocationIndicatorActive: lit }, etag });
      // Deprecated since ComputerSystem 1.13, and all that older BMCs have.
      else if (value.IndicatorLED)
        await call('PATCH', path, { body: { IndicatorLED: lit ? 'Blinking' : 'Off' }, etag });
      else throw unsupported('has no identify LED for this machine');
    },
  };
}

function unsupported(words: string): BmcError {
  return new BmcError(BmcErrorCode.Unsupported, `the BMC ${words}; its firmware may be too old`);
}
