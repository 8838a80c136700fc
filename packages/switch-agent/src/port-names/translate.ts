/** Whose names a port has. */
export type PortNaming = 'cumulus' | 'sonic';

/** A front-panel cage, and the SONiC names of its ports in the order of its lanes. */
export interface CageOfPorts {
  /** Counted from 1, as on the front panel. */
  readonly number: number;
  readonly ports: readonly string[];
}

export type Translated =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const CUMULUS = /^swp([1-9]\d{0,3})(?:s(\d{1,2}))?$/;
const SONIC = /^Ethernet(0|[1-9]\d{0,4})$/;

/**
 * Translates with a known switch: the port's place in its cage counts, not how many lanes the cage has. `swp5` is the
 * port of cage 5 while it has one, `swp5s2` the third of several.
 */
export function translateOnSwitch(names: readonly string[], to: PortNaming, cages: readonly CageOfPorts[]): Translated {
  const toSonic = new Map<string, string>();
  for (const { number, ports } of cages) {
    for (const [place, port] of ports.entries()) toSonic.set(cumulusName(number, place, ports.length), port);
  }
  const toCumulus = new Map([...toSonic].map(([cumulus, sonic]) => [sonic, cumulus]));
  return translateEach(names, to, (name) => {
    const found = (to === 'sonic' ? toSonic : toCumulus).get(name);
    if (found !== undefined) return found;
    const cage = cages.find(({ number }) => number === Number(CUMULUS.exec(name)?.[1]));
    if (to === 'cumulus' || cage === undefined) return new Error('is no port of this switch');
    const own = cage.ports.map((_, place) => cumulusName(cage.number, place, cage.ports.length));
    return new Error(`is no port of this switch, whose cage ${cage.number} has ${own.join(', ')}`);
  });
}

/**
 * Translates without knowing the switch, as the metal-stack API does: every cage has the same number of lanes, and the
 * number behind the `s` is that of a lane. A port on a cage's first lane is a broken-out one if another of `names` lies
 * in the same cage.
 */
export function translateByLanes(names: readonly string[], to: PortNaming, lanesPerCage: number): Translated {
  const inCage = new Map<number, number>();
  for (const name of names) {
    const line = SONIC.exec(name)?.[1];
    if (line === undefined) continue;
    const cage = Math.floor(Number(line) / lanesPerCage);
    inCage.set(cage, (inCage.get(cage) ?? 0) + 1);
  }
  return translateEach(names, to, (name) => {
    if (to === 'sonic') {
      const [, number, lane = '0'] = CUMULUS.exec(name) ?? [];
      if (Number(lane) >= lanesPerCage)
        return new Error(`has no lane ${lane}: cages are taken to have ${lanesPerCage}`);
      return `Ethernet${(Number(number) - 1) * lanesPerCage + Number(lane)}`;
    }
    const line = Number(SONIC.exec(name)?.[1]);
    const cage = Math.floor(line / lanesPerCage);
    const lane = line % lanesPerCage;
    return `swp${cage + 1}${lane > 0 || (inCage.get(cage) ?? 0) > 1 ? `s${lane}` : ''}`;
  });
}

function cumulusName(number: number, place: number, count: number): string {
  return count === 1 ? `swp${number}` : `swp${number}s${place}`;
}

/** Names that are `to`'s already stay; two names that become one are a problem. */
function translateEach(
  names: readonly string[],
  to: PortNaming,
  translate: (name: string) => string | Error,
): Translated {
  const problems: string[] = [];
  const origin = new Map<string, string>();
  const translated = names.map((name) => {
    const isCumulus = CUMULUS.test(name);
    if (!isCumulus && !SONIC.test(name)) {
      problems.push(`"${name}" is no port name; write swp1, swp1s0 or Ethernet0`);
      return name;
    }
    const found = isCumulus === (to === 'cumulus') ? name : translate(name);
    if (found instanceof Error) {
      problems.push(`${name} ${found.message}`);
      return name;
    }
    const other = origin.get(found);
    if (other !== undefined && other !== name) problems.push(`${name} and ${other} are both ${found}`);
    origin.set(found, name);
    return found;
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, names: translated };
}
