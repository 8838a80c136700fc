import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { readSmbios } from '../inventory/smbios.ts';
import type { Sysfs } from '../sysfs.ts';
import type { BmcSearch } from './bmc.ts';
import type { Ipmi } from './ipmi.ts';

export interface BmcDeviceParts {
  readonly sysfs: Sysfs;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Opens the device at this path; throws when it cannot. */
  readonly openIpmi: (path: string) => Ipmi;
}

/** None, or one that cannot be used. */
export type NoBmc = Exclude<BmcSearch, { readonly kind: 'found' }>;

const driverPatienceMs = 10_000;
const driverPauseMs = 500;

/**
 * Calls `use` with the machine's BMC, if it has one. What `use` rejects with makes the BMC unusable, or, where it is
 * required, is passed on; so is the reason of the signal.
 */
export async function withBmc<T>(
  parts: BmcDeviceParts,
  { patient, required }: { readonly patient: boolean; readonly required: boolean },
  use: (ipmi: Ipmi) => Promise<T>,
): Promise<T | NoBmc> {
  const device = await findDevice(parts, patient);
  if (device.kind !== 'there') return device;
  let ipmi: Ipmi | undefined;
  try {
    ipmi = parts.openIpmi(device.path);
    return await use(ipmi);
  } catch (error) {
    parts.signal.throwIfAborted();
    if (required) throw error;
    return { kind: 'unusable', reason: reasonOf(error) };
  } finally {
    ipmi?.close();
  }
}

const devices = ['/dev/ipmi0', '/dev/ipmi/0', '/dev/ipmidev/0'];
/** DSP0134, 7.39: IPMI Device Information, and its interface types KCS, SMIC, BT and SSIF. */
const ipmiDeviceInformation = 38;
const lastInterfaceType = 4;

type Device = { readonly kind: 'there'; readonly path: string } | NoBmc;

/** Firmware says whether there is a BMC: a driver that is late must not make it look like none, for then it is forgotten. */
async function findDevice({ sysfs, clock, signal }: BmcDeviceParts, patient: boolean): Promise<Device> {
  const start = clock.monotonic();
  for (;;) {
    const path = devices.find((each) => sysfs.exists(each));
    if (path !== undefined) return { kind: 'there', path };
    const promised = readSmbios(sysfs).some(
      ({ type, data }) => type === ipmiDeviceInformation && (data[4] ?? 0) >= 1 && (data[4] ?? 0) <= lastInterfaceType,
    );
    if (!promised) return { kind: 'none' };
    if (!patient || clock.monotonic() - start >= driverPatienceMs)
      return {
        kind: 'unusable',
        reason: 'SMBIOS has a BMC, but there is no /dev/ipmi0; is the driver of its interface loaded? see dmesg',
      };
    await clock.sleep(driverPauseMs, signal);
  }
}
