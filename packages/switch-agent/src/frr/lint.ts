import { parseConf, type ConfLine } from './conf-lines.ts';
import { lintBgp } from './lint-bgp.ts';
import { lintPrefixLists } from './lint-prefix-lists.ts';
import { lintReferences } from './lint-references.ts';
import { lintRouteMaps } from './lint-route-maps.ts';
import { lintVrfs } from './lint-vrfs.ts';

/** A line that FRR would take without a complaint from `vtysh -C`, and then refuse, or understand otherwise. */
export interface ConfProblem {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** What is wrong with it, and what to write instead. */
  readonly reason: string;
}

/** How a rule says that a line is wrong. */
export type Complain = (line: ConfLine, reason: string) => void;

/** One concern of the lint. */
export type LintRule = (lines: readonly ConfLine[], complain: Complain, vrfs: readonly string[]) => void;

/**
 * What is wrong with an FRR configuration beyond its syntax. Everything that is looked for here makes FRR drop lines, a
 * whole transaction of lines, or routes, without that `vtysh -C` or the exit status of a reload would tell (measured
 * with FRR 8.4). Knows the commands that a leaf uses; lines that it does not know pass.
 *
 * @param vrfs VRFs that are there although no line defines them.
 * @returns the problems in the order of the lines.
 */
export function lintConf(text: string, vrfs: readonly string[] = []): readonly ConfProblem[] {
  const lines = parseConf(text).filter((line) => !line.text.startsWith('no '));
  const problems: ConfProblem[] = [];
  const complain: Complain = (line, reason) => void problems.push({ line: line.number, text: line.text, reason });
  for (const rule of [lintPrefixLists, lintRouteMaps, lintReferences, lintBgp, lintVrfs]) rule(lines, complain, vrfs);
  return problems.sort((a, b) => a.line - b.line);
}
