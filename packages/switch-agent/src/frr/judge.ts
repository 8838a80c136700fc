import { compareConf, lackingInBgpd } from './compare.ts';
import type { RenderedConf } from './render.ts';
import type { RunningFrr } from './vtysh.ts';
import { lineWords } from './words.ts';

/** What keeps a running configuration from being the wanted one, in words. */
export interface Judgement {
  /** Lines of the agent's that do not run. */
  readonly missing: readonly string[];
  /** Lines that another daemon runs, and bgpd does not. */
  readonly lacking: readonly string[];
  /** What runs although nothing wants it any more. */
  readonly left: readonly string[];
  /**
   * Lines of the operator's that FRR does not show as they are written: it has refused them, or prints them otherwise,
   * and then frr-reload takes them out and puts them back at every reload. Nothing is rolled back for these.
   */
  readonly unlike: readonly string[];
}

function judge(wanted: RenderedConf, running: RunningFrr, isStrict: boolean): Judgement {
  const { missing, left } = compareConf(wanted.text, running.conf);
  const words = lineWords(wanted);
  const isOwn = ({ number }: { readonly number: number }): boolean => isStrict && wanted.origin(number) === undefined;
  const foreign = missing.filter((line) => !isOwn(line));
  // FRR's spelling of such a line may also be in another place, such as the IPv4 family of a neighbour.
  const alike = new Set(foreign.map(({ text }) => text));
  return {
    missing: missing.filter(isOwn).map(({ number }) => words(number, 'FRR does not take this line')),
    lacking: lackingInBgpd(wanted.text, running).map(({ number }) => words(number, 'bgpd does not have this line')),
    left: left
      .filter(({ text }) => !alike.has(text))
      .map(({ path, text }) => `FRR still has "${[...path, text].join(' / ')}"`),
    unlike: foreign.map(({ number }) =>
      words(number, 'FRR does not show this line; write it as "show running-config" would'),
    ),
  };
}

/** Whether there is nothing to be done. */
export function isFulfilled({ missing, lacking, left }: Judgement): boolean {
  return missing.length === 0 && lacking.length === 0 && left.length === 0;
}

/**
 * `judge` for somebody who asks again and again: of 10,000 lines that are the same as before it costs a comparison of
 * texts, and otherwise a good part of a second.
 */
export function createJudge(isStrict: boolean): (wanted: RenderedConf, running: RunningFrr) => Judgement {
  let last: (RenderedConf & Pick<RunningFrr, 'conf' | 'bgpdConf'> & { readonly judgement: Judgement }) | undefined;
  return (wanted, running) => {
    const { conf, bgpdConf } = running;
    if (last?.text !== wanted.text || last.conf !== conf || last.bgpdConf !== bgpdConf) {
      last = { ...wanted, conf, bgpdConf, judgement: judge(wanted, running, isStrict) };
    }
    return last.judgement;
  };
}
