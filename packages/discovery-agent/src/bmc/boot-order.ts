import { IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';
import type { BmcVendor } from './vendors.ts';

const setBootOptions: IpmiCommand = { name: 'Set System Boot Options', netFn: 0x00, command: 0x08 };
const getBootOptions: IpmiCommand = { name: 'Get System Boot Options', netFn: 0x00, command: 0x09 };

export interface BootOrder {
  readonly device: 'pxe' | 'disk';
  /** For good, or for the next boot only. */
  readonly persistent: boolean;
  /** How the machine has been booted: the flags say it, and firmware obeys. */
  readonly mode: 'uefi' | 'bios';
}

/** IPMI 2.0, table 28-14. */
const bootFlags = 5;
const forcePxe = 0x04;
const flagsAreValid = 0x80;
const forGood = 0x40;
const efiBoot = 0x20;
const deviceMask = 0x3c;

/** Sets the boot flags and reads them back, for some BMCs take them and forget them. Rejects when they do not stick. */
export async function setBootOrder(session: IpmiSession, order: BootOrder, vendor: BmcVendor): Promise<void> {
  const device = order.device === 'pxe' ? forcePxe : vendor.bootDisk;
  const flags = flagsAreValid | (order.persistent ? forGood : 0) | (order.mode === 'uefi' ? efiBoot : 0);
  await session.ask(setBootOptions, [bootFlags, flags, device, 0, 0, 0]);
  const answer = await session.ask(getBootOptions, [bootFlags, 0, 0], 4);
  const [, , gotFlags = 0, gotDevice = 0] = answer;
  if ((gotFlags & flags) !== flags || (gotDevice & deviceMask) !== (device & deviceMask))
    throw new IpmiError(setBootOptions, 'the BMC took the boot flags, but has others now');
}
