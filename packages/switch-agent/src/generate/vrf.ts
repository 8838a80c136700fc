import type { Generation } from './generate.ts';
import type { Path } from './report.ts';

// What SONiC's model and the kernel take (IFNAMSIZ is 16 with its zero).
const NAME = /^Vrf[A-Za-z0-9_-]{1,12}$/;

/** The row of a VRF that something is put into; reports a name that SONiC does not take. */
export function addVrf({ tables, report }: Generation, path: Path, name: string): void {
  if (!NAME.test(name)) {
    const words = /^(?:default|mgmt)$/.test(name)
      ? `"${name}" is no VRF of its own; leave it out`
      : `SONiC takes no VRF "${name}"; write Vrf and 1 to 12 letters, digits, "_" or "-", as VrfInternet`;
    report.problem(path, words);
    return;
  }
  tables.set('VRF', name);
}
