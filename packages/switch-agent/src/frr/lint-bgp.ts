import type { ConfLine } from './conf-lines.ts';
import type { LintRule } from './lint.ts';

interface Instance {
  readonly opener: ConfLine;
  readonly asn: string;
  readonly groups: Set<string>;
  /** The members of each, by name: the line that made it one. */
  readonly neighbors: Map<string, ConfLine>;
}

const ROUTER = /^router bgp (\d+)(?: (?:vrf|view) (\S+))?$/;

/** Neighbours and peer groups that are used before they are there, or twice, and BGP instances with two AS numbers. */
export const lintBgp: LintRule = (lines, complain) => {
  const instances = new Map<string, Instance>();
  const interfaces = new Map<string, readonly [vrf: string, line: ConfLine]>();
  let current: Instance | undefined;
  let vrf = '';
  for (const line of lines) {
    const router = line.path.length === 0 ? ROUTER.exec(line.text) : null;
    if (router !== null) {
      const asn = router[1] ?? '';
      vrf = router[2] ?? 'default';
      const known = instances.get(vrf);
      if (known !== undefined && known.asn !== asn) {
        complain(
          line,
          `BGP of VRF ${vrf} has AS ${known.asn} since line ${known.opener.number}; FRR refuses this and what follows`,
        );
      }
      current = known ?? { opener: line, asn, groups: new Set(), neighbors: new Map() };
      instances.set(vrf, current);
      continue;
    }
    if (current === undefined || line.path[0]?.startsWith('router bgp ') !== true) continue;
    const words = line.text.split(' ');
    const [command, name = '', verb] = words;
    if (command !== 'neighbor') continue;
    if (verb === 'peer-group' && words.length === 3) {
      current.groups.add(name);
      continue;
    }
    const group = groupOf(words);
    if (group !== undefined && !current.groups.has(group)) {
      complain(
        line,
        `there is no peer group "${group}" in this block yet; write "neighbor ${group} peer-group" before it`,
      );
    }
    const timers = /^neighbor \S+ timers (\d+) (\d+)$/.exec(line.text);
    if (timers !== null) {
      const [keepalive, hold] = [Number(timers[1]), Number(timers[2])];
      if (hold !== 0 && (hold < 3 || keepalive >= hold)) {
        complain(line, 'the second number, the hold time, is 0 or at least 3, and more than the first');
      }
    }
    if (verb === 'interface') {
      const other = interfaces.get(name);
      if (other !== undefined && other[0] !== vrf) {
        complain(
          line,
          `${name} is a neighbour in VRF ${other[0]} already (line ${other[1].number}); a port is in one VRF`,
        );
      }
      interfaces.set(name, other ?? [vrf, line]);
    }
    const makes = verb === 'interface' || verb === 'remote-as' || verb === 'peer-group';
    if (makes) {
      const earlier = current.neighbors.get(name);
      const first = earlier === undefined ? undefined : groupOf(earlier.text.split(' '));
      if (group !== undefined && first !== undefined && first !== group) {
        complain(line, `${name} is in peer group ${first} already (line ${earlier?.number}); leave one out`);
      }
      if (!current.groups.has(name)) current.neighbors.set(name, earlier ?? line);
    } else if (!current.groups.has(name) && !current.neighbors.has(name)) {
      complain(line, `there is no neighbour "${name}" in this block yet; give it a remote-as or a peer group before`);
    }
  }
};

/** The group that a line puts a neighbour into. */
function groupOf(words: readonly string[]): string | undefined {
  const at = words.indexOf('peer-group');
  return at === -1 || (words[2] !== 'peer-group' && words[2] !== 'interface') ? undefined : words[at + 1];
}
