import type { BmcConnection, BootDevice, PowerAction } from '../controller.ts';
import { BmcError, BmcErrorCode } from '../errors.ts';
import type { BmcTarget } from '../target.ts';
import { ipmiInspector, type IpmiKnowledge } from './ipmi-inspector.ts';
import { ipmiSession, type IpmiOptions } from './ipmi-session.ts';
import type { RunIpmitool } from './run-ipmitool.ts';

// IPMI 2.0, section 22.25: an id lasts 255 s, or until it is put out by 0; forced on stays on.
const IDENTIFY_OFF = '0';
const IDENTIFY_ON = 'force';
/**
 * IPMI 2.0, table 28-14, parameter 3, bit 3: the boot device is kept for longer than the 60 s after which the BMC would
 * forget it when no chassis command comes.
 */
const KEEP_BOOT_DEVICE = ['raw', '0x00', '0x08', '0x03', '0x08'] as const;

/** A BMC that speaks IPMI 2.0 over LAN. `knowledge` is what `inspect` has learned of it before. */
export function ipmiController(
  target: BmcTarget,
  run: RunIpmitool,
  options: IpmiOptions,
  knowledge: IpmiKnowledge,
): BmcConnection {
  const ipmi = ipmiSession(target, run, options);
  return {
    async isOn() {
      const answer = await ipmi('chassis', 'power', 'status');
      const state = /Chassis Power is (on|off)\b/i.exec(answer)?.[1]?.toLowerCase();
      if (state === undefined)
        throw new BmcError(BmcErrorCode.Answer, `the BMC at ${target.name} does not say whether the machine is on`);
      return state === 'on';
    },
    async power(action: PowerAction) {
      await ipmi('chassis', 'power', action);
    },
    async bootNext(device: BootDevice) {
      try {
        await ipmi(...KEEP_BOOT_DEVICE);
      } catch (error) {
        // Some BMCs do not have the parameter; they forget the device after a minute, or they do not.
        if (!(error instanceof BmcError) || error.code !== BmcErrorCode.Refused) throw error;
      }
      await ipmi('chassis', 'bootdev', device, ...(options.uefi ? ['options=efiboot'] : []));
    },
    async identify(lit: boolean) {
      await ipmi('chassis', 'identify', lit ? IDENTIFY_ON : IDENTIFY_OFF);
    },
    inspect: ipmiInspector(ipmi, target, knowledge),
    // ipmitool ends its session with each command.
    close: () => Promise.resolve(),
  };
}
