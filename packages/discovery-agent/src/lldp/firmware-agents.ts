/**
 * Drivers of adapters whose firmware has an LLDP agent of its own, on by default, that takes the frames before Linux
 * sees any; with the private flag of ethtool(8) that ends it, from Linux,
 * Documentation/networking/device_drivers/ethernet/intel/i40e.rst and ice.rst. `/init` of the image sets it when a NIC
 * comes up; what is said here is for a person who finds a port silent nevertheless.
 */
const firmwareAgents: ReadonlyMap<string, readonly [flag: string, value: string]> = new Map([
  ['i40e', ['disable-fw-lldp', 'on']],
  ['ice', ['fw-lldp-agent', 'off']],
]);

/** The command to try when a NIC of this driver hears nothing; undefined for drivers without such firmware. */
export function firmwareRemedy(nic: string, driver: string): string | undefined {
  const flag = firmwareAgents.get(driver);
  return flag && `ethtool --set-priv-flags ${nic} ${flag.join(' ')}`;
}
