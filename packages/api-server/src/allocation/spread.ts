import type { Entropy } from '@ingot/net';

/** Where a machine stands, as far as spreading is concerned. */
export interface Standing {
  /** Empty: unknown, which counts as a rack of its own. */
  readonly rack: string;
}

/** A machine that the project has already, in the same partition, of the same size and role. */
export interface Neighbour extends Standing {
  readonly placementLabels: ReadonlyMap<string, string>;
}

/**
 * Picks one of the candidates so that a project's machines stand in as many racks as can be (MEP-12): from the racks with
 * the fewest machines of the project and, when placement labels are given, with the fewest of the project's machines that
 * share one of them. Where no rack is best at both, the labels decide. Undefined without candidates.
 */
export function pickSpread<Candidate extends Standing>(
  candidates: readonly Candidate[],
  neighbours: readonly Neighbour[],
  placementLabels: ReadonlyMap<string, string>,
  entropy: Entropy,
): Candidate | undefined {
  const racks = new Set(candidates.map(({ rack }) => rack));
  const byProject = leastOccupied(racks, neighbours);
  const labelled = neighbours.filter((neighbour) =>
    [...placementLabels].some(([key, value]) => neighbour.placementLabels.get(key) === value),
  );
  const byLabel = leastOccupied(racks, labelled);
  const both = byProject.intersection(byLabel);
  const best = both.size > 0 ? both : byLabel;
  const choice = candidates.filter(({ rack }) => best.has(rack));
  return choice.length === 0 ? undefined : choice[entropy.int(choice.length)];
}

function leastOccupied(racks: ReadonlySet<string>, neighbours: readonly Standing[]): Set<string> {
  const occupied = new Map([...racks].map((rack) => [rack, 0]));
  for (const { rack } of neighbours) {
    const count = occupied.get(rack);
    if (count !== undefined) occupied.set(rack, count + 1);
  }
  const least = Math.min(...occupied.values());
  return new Set([...occupied].filter(([, count]) => count === least).map(([rack]) => rack));
}
