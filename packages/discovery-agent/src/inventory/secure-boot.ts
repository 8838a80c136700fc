import type { Sysfs } from '../sysfs.ts';

/**
 * `setup`: no platform key is enrolled, so that anybody may enrol one; nothing is checked.
 * `unsupported`: booted without UEFI, or by a UEFI that does not know Secure Boot.
 */
export type SecureBoot = 'on' | 'off' | 'setup' | 'unsupported' | 'unknown';

const globalVariables = '8be4df61-93ca-11d2-aa0d-00e098032b8c'; // EFI_GLOBAL_VARIABLE, UEFI 2.10, 3.3
const attributeBytes = 4; // efivarfs puts them before the value

export function readSecureBoot(sysfs: Sysfs): SecureBoot {
  if (!sysfs.exists('/sys/firmware/efi')) return 'unsupported';
  const directory = '/sys/firmware/efi/efivars';
  const variable = (name: string): number | undefined =>
    sysfs.bytes(`${directory}/${name}-${globalVariables}`)?.[attributeBytes];
  const secureBoot = variable('SecureBoot');
  if (secureBoot === 1) return 'on';
  if (variable('SetupMode') === 1) return 'setup';
  if (secureBoot === 0) return 'off';
  // Every UEFI has variables: an empty directory is one where nobody mounted them.
  return sysfs.list(directory).length > 0 ? 'unsupported' : 'unknown';
}
