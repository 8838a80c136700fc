import type { Tree } from '../tree.ts';
import { files, link, merge } from './parts.ts';

const globalVariables = '8be4df61-93ca-11d2-aa0d-00e098032b8c';

/** A UEFI with its variables mounted. */
export function uefi(secureBoot: boolean, setupMode: boolean): Tree {
  const variable = (value: boolean): Uint8Array => Uint8Array.of(6, 0, 0, 0, value ? 1 : 0);
  return merge(
    files('/sys/firmware/efi', { fw_platform_size: 64 }),
    files('/sys/firmware/efi/efivars', {
      [`SecureBoot-${globalVariables}`]: variable(secureBoot),
      [`SetupMode-${globalVariables}`]: variable(setupMode),
    }),
  );
}

export function dmi(id: Readonly<Record<string, string | number>>): Tree {
  return merge(files('/sys/devices/virtual/dmi/id', id), link('/sys/class/dmi/id', '/sys/devices/virtual/dmi/id'));
}

export function tpm(device: string, driver: string, contents: Readonly<Record<string, string | number>>): Tree {
  const directory = `${device}/tpm/tpm0`;
  return merge(
    files(directory, contents),
    link(`${directory}/device`, device),
    link(`${device}/driver`, `/sys/bus/acpi/drivers/${driver}`),
    link('/sys/class/tpm/tpm0', directory),
  );
}
