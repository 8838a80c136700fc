import { parseInterfaceAddress } from '@ingot/wire';
import type { ConfLine } from './conf-lines.ts';
import type { LintRule } from './lint.ts';

// VRFs that are there without FRR: the kernel's own, and SONiC's for management.
const BUILT_IN: ReadonlySet<string> = new Set(['default', 'mgmt']);
// An interface name of Linux, which a VRF is.
const MAX_VRF_NAME = 15;

const USES = [/^router bgp \d+ vrf (\S+)$/, /^interface \S+ vrf (\S+)$/, /^import vrf (?!route-map )(\S+)$/];
const STATIC = /^(ip|ipv6) route (\S+) \S+.*$/;

/** VRFs that nothing defines, VNIs given twice, ports in two VRFs, and static routes that FRR rewrites. */
export const lintVrfs: LintRule = (lines, complain, vrfs) => {
  const filled = new Set(lines.map(({ path }) => path[0]));
  const defined = new Set([...BUILT_IN, ...vrfs]);
  const vnis = new Map<string, ConfLine>();
  const ports = new Map<string, readonly [vrf: string, line: ConfLine]>();
  for (const line of lines) {
    const name = line.path.length === 0 ? /^vrf (\S+)$/.exec(line.text)?.[1] : undefined;
    if (name !== undefined) {
      defined.add(name);
      if (name.length > MAX_VRF_NAME) complain(line, `the name of a VRF has up to ${MAX_VRF_NAME} characters`);
    }
    if (name !== undefined && !filled.has(line.text)) {
      complain(line, 'is an empty block: frr-reload puts the static routes behind it into that VRF; leave it out');
    }
    const vni = line.path[0]?.startsWith('vrf ') === true ? /^vni (\d+)/.exec(line.text)?.[1] : undefined;
    if (vni !== undefined) {
      const other = vnis.get(vni);
      if (other !== undefined && other.path[0] !== line.path[0]) {
        complain(line, `VNI ${vni} is that of line ${other.number} (${other.path[0]}) already; FRR refuses the second`);
      }
      vnis.set(vni, other ?? line);
    }
    const [, port, vrf = 'default'] = /^interface (\S+)(?: vrf (\S+))?$/.exec(line.text) ?? [];
    if (port !== undefined && line.path.length === 0) {
      const other = ports.get(port);
      if (other !== undefined && other[0] !== vrf) {
        complain(line, `${port} is in VRF ${other[0]} by line ${other[1].number}; a port is in one VRF`);
      }
      ports.set(port, other ?? [vrf, line]);
    }
  }
  for (const line of lines) {
    for (const vrf of usedVrfs(line)) {
      if (!defined.has(vrf)) complain(line, `there is no VRF "${vrf}"; give it to frr.staticVrfs, or correct the name`);
    }
    const [, command, prefix = ''] = STATIC.exec(line.text) ?? [];
    if (command === undefined) continue;
    const parsed = parseInterfaceAddress(prefix);
    if (parsed.ok && parsed.value.value !== parsed.value.first)
      complain(line, `${prefix} has bits behind its length, which FRR drops; write the network address`);
  }
};

function usedVrfs(line: ConfLine): readonly string[] {
  if (STATIC.test(line.text))
    return [...line.text.matchAll(/ (?:nexthop-vrf|vrf) (\S+)/g)].map(([, name = '']) => name);
  return USES.map((pattern) => pattern.exec(line.text)?.[1]).filter((name) => name !== undefined);
}
