import { compileC } from './compile.ts';

/** What a PCI device says that it is. Numbers as in pci.ids. */
export interface PciIds {
  readonly vendor: number;
  readonly device: number;
  /** Base class and subclass, `0x0302`. */
  readonly class: number;
  readonly subsystem: readonly [vendor: number, device: number];
}

const hex = (id: number): string => id.toString(16).padStart(4, '0');

/** The environment in which QEMU knows `-device <name>` for each of `types`; the option `membar=` gives it a window. */
export function pciTypes(types: Readonly<Record<string, PciIds>>): Readonly<Record<string, string>> {
  const words = Object.entries(types).map(
    ([name, ids]) => `${name}=${[ids.vendor, ids.device, ids.class, ...ids.subsystem].map(hex).join(':')}`,
  );
  return {
    LD_PRELOAD: compileC(new URL('qemu-pci-types.c', import.meta.url), 'shared'),
    INGOT_PCI_TYPES: words.join(' '),
  };
}
