import type { Inventory } from './inventory/inventory.ts';

/**
 * Inventory beyond the fields that `BootService.Register` has, as tags of the machine. One tag is `<key>=<value>`:
 *
 *     ingot.inventory.disk/<name>=<model>;<serial>;<firmware>;<size in bytes>
 *     ingot.inventory.dimm/<locator>=<part number>;<serial>;<manufacturer>;<size in bytes>
 *     ingot.inventory.system=<vendor>;<product>;<serial>
 *     ingot.inventory.board=<vendor>;<name>;<serial>
 *     ingot.inventory.chassis=<vendor>;<kind>;<serial>
 *     ingot.inventory.boot=uefi|bios
 *     ingot.inventory.secure-boot=on|off|setup|unsupported|unknown
 *     ingot.inventory.tpm/<name>=<version>;<vendor>;<firmware>
 *     ingot.inventory.gpu/<PCI address>=<kind>;<model>;<board>;<memory in bytes>;<NUMA node>
 *     ingot.inventory.numa/<node>=<logical processors>;<size in bytes>  (where there are several)
 *
 * `<name>` has no `/dev/`. Fields may be empty; a `;`, `=` or control character inside of one becomes a blank. Keys are
 * at most 128, whole tags at most 256 characters: longer ones are cut. At most 256 tags: DIMMs, which come last, are
 * left out beyond that.
 */
export function inventoryTags({ disks, firmware, gpus, memory, numa, tpms }: Inventory): string[] {
  const tag = (key: string, ...values: (string | number)[]): string =>
    `ingot.inventory.${clean(key)}`
      .slice(0, maxKeyLength)
      .concat('=', values.map(clean).join(';'))
      .slice(0, maxTagLength);
  const named = (key: string, { vendor, name, serial }: { vendor: string; name: string; serial: string }): string[] =>
    vendor + name + serial === '' ? [] : [tag(key, vendor, name, serial)];
  return [
    ...named('system', firmware.system),
    ...named('board', firmware.board),
    ...named('chassis', firmware.chassis),
    tag('boot', firmware.bootMode),
    tag('secure-boot', firmware.secureBoot),
    ...tpms.map((tpm) => tag(`tpm/${tpm.name}`, tpm.version, tpm.vendor, tpm.firmware)),
    ...gpus.map(({ address, kind, model, subsystem, memory: own, numaNode }) =>
      tag(`gpu/${address}`, kind, model, subsystem, own?.sizeBytes ?? '', numaNode ?? ''),
    ),
    ...(numa.length > 1 ? numa.map(({ node, cpus, sizeBytes }) => tag(`numa/${node}`, cpus, sizeBytes)) : []),
    ...disks.map((disk) =>
      tag(`disk/${disk.name.replace('/dev/', '')}`, disk.model, disk.serial, disk.firmware, disk.sizeBytes),
    ),
    ...memory.dimms.map((dimm) =>
      tag(`dimm/${dimm.locator}`, dimm.partNumber, dimm.serial, dimm.manufacturer, dimm.sizeBytes),
    ),
  ].slice(0, maxTags);
}

const maxKeyLength = 128;
const maxTagLength = 256;
export const maxTags = 256;

function clean(value: string | number): string {
  return String(value)
    .replaceAll(/[;=\p{Cc}]+/gu, ' ')
    .trim();
}
