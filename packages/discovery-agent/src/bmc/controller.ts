import type { IpmiCommand, IpmiSession } from './ipmi.ts';

const getDeviceId: IpmiCommand = { name: 'Get Device ID', netFn: 0x06, command: 0x01 };
const getChassisStatus: IpmiCommand = { name: 'Get Chassis Status', netFn: 0x00, command: 0x01 };

export interface Controller {
  /** As ipmitool prints it: `1.74`. */
  readonly version: string;
  /** Major version of IPMI: 2 as a rule. */
  readonly ipmiMajor: number;
  /** IANA enterprise number; 0 when the BMC does not say. */
  readonly manufacturer: number;
}

/** IPMI 2.0, 20.1. */
export async function readController(session: IpmiSession): Promise<Controller> {
  const id = await session.ask(getDeviceId, [], 5);
  const at = (index: number): number => id[index] ?? 0;
  return {
    // The top bit says that the device is being updated; the minor revision is BCD.
    version: `${at(2) & 0x7f}.${at(3).toString(16).padStart(2, '0')}`,
    // BCD with the digits swapped: 0x51 is 1.5.
    ipmiMajor: at(4) & 0x0f,
    manufacturer: at(6) | (at(7) << 8) | ((at(8) & 0x0f) << 16),
  };
}

/** `ON` or `OFF`, as upstream words it. IPMI 2.0, 28.2. */
export async function readPowerState(session: IpmiSession): Promise<string> {
  const [state = 0] = await session.ask(getChassisStatus, [], 1);
  return (state & 0x01) === 1 ? 'ON' : 'OFF';
}
