import { z } from 'zod';
import { printable, readFacts, untold, type BmcFacts, type Fru } from '../facts.ts';
import { findChassis, type Chassis } from './chassis.ts';
import type { ComputerSystem } from './computer-system.ts';
import { powerMetricOf, powerSuppliesOf } from './power.ts';
import type { RedfishCall } from './redfish-session.ts';
import { parse } from './resources.ts';

const manager = z.object({ FirmwareVersion: z.string().nullish() });
const assembly = z.object({
  Assemblies: z
    .array(
      z.object({
        PhysicalContext: z.string().nullish(),
        Vendor: z.string().nullish(),
        Producer: z.string().nullish(),
        PartNumber: z.string().nullish(),
        SerialNumber: z.string().nullish(),
      }),
    )
    .max(256)
    .nullish(),
});

/** Reads all that Redfish tells of a machine. */
export async function inspectRedfish(call: RedfishCall, system: ComputerSystem, isOn: boolean): Promise<BmcFacts> {
  let known: Promise<Chassis | undefined> | undefined;
  const chassis = (): Promise<Chassis | undefined> => (known ??= findChassis(call, system));
  return readFacts(isOn, {
    async isLit() {
      const lit = litOf(system) ?? litOf(await chassis());
      if (lit === undefined) throw untold('the BMC does not say whether its identify LED is lit');
      return lit;
    },
    powerMetric: async () => powerMetricOf(call, await chassis()),
    async version() {
      const path = system.value.Links?.ManagedBy?.[0]?.['@odata.id'];
      if (path === undefined) throw untold('the BMC does not say who manages the machine');
      const version = printable(parse(manager, await call('GET', path), 'manager').FirmwareVersion ?? '');
      if (version === '') throw untold('the BMC does not say the version of its firmware');
      return version;
    },
    biosVersion() {
      const version = printable(system.value.BiosVersion ?? '');
      return version === ''
        ? Promise.reject(untold('the BMC does not say the version of the BIOS'))
        : Promise.resolve(version);
    },
    fru: async () => fruOf(call, system, await chassis()),
    powerSupplies: async () => powerSuppliesOf(call, await chassis()),
  });
}

/** `LocationIndicatorActive` is what came after `IndicatorLED`; undefined: there is no such LED. */
function litOf(of: Chassis | ComputerSystem | undefined): boolean | undefined {
  const { LocationIndicatorActive: active, IndicatorLED: led } = of?.value ?? {};
  if (typeof active === 'boolean') return active;
  if (led === 'Lit' || led === 'Blinking') return true;
  return led === 'Off' ? false : undefined;
}

/** The machine is the product, its chassis the chassis; the board stands among the assemblies, for BMCs that have them. */
async function fruOf(call: RedfishCall, { value }: ComputerSystem, chassis: Chassis | undefined): Promise<Fru> {
  const path = chassis?.value.Assembly?.['@odata.id'];
  const parts = path === undefined ? [] : (parse(assembly, await call('GET', path), 'assembly').Assemblies ?? []);
  const board = parts.find(({ PhysicalContext: context }) => context === 'SystemBoard');
  const fru: Partial<Record<keyof Fru, string>> = {};
  const note = (field: keyof Fru, text: string | null | undefined): void => {
    const shown = printable(text ?? '');
    if (shown !== '') fru[field] = shown;
  };
  note('chassisPartNumber', chassis?.value.PartNumber);
  note('chassisPartSerial', chassis?.value.SerialNumber);
  note('boardMfg', board?.Vendor ?? board?.Producer);
  note('boardMfgSerial', board?.SerialNumber);
  note('boardPartNumber', board?.PartNumber);
  note('productManufacturer', value.Manufacturer);
  note('productPartNumber', value.PartNumber);
  note('productSerial', value.SerialNumber);
  if (Object.keys(fru).length === 0) throw untold('the BMC does not tell part and serial numbers');
  return fru;
}
