import { describe, expect, it } from 'vitest';
import { createJudge, isFulfilled } from '../../src/frr/judge.ts';
import type { RenderedConf } from '../../src/frr/render.ts';
import type { RunningFrr } from '../../src/frr/vtysh.ts';

const wanted: RenderedConf = {
  text: 'fpm address 127.0.0.1\nroute-map m permit 10\nexit\nip route 10.0.0.0 255.0.0.0 Null0\n',
  origin: (line) => (line === 4 ? { path: '/etc/ingot/frr.after.conf', line: 1 } : undefined),
  vrfs: [],
};
const running = (conf: string, bgpdConf = conf): RunningFrr => ({ daemons: new Map(), conf, bgpdConf });

describe('a judge', () => {
  it("tells the agent's lines from the operator's", () => {
    const judgement = createJudge(true)(wanted, running('route-map m permit 10\nexit\nip route 10.0.0.0/8 Null0\n'));
    expect(judgement.missing).toEqual(['frr.conf:1: "fpm address 127.0.0.1": FRR does not take this line']);
    expect(judgement.unlike).toEqual([expect.stringMatching(/^\/etc\/ingot\/frr\.after\.conf:1: /)]);
    expect(isFulfilled(judgement)).toBe(false);
  });

  it('that may not roll back holds no line against FRR', () => {
    const judgement = createJudge(false)(wanted, running('route-map m permit 10\nexit\n'));
    expect(judgement.missing).toEqual([]);
    expect(judgement.unlike).toHaveLength(2);
    expect(isFulfilled(judgement)).toBe(true);
  });

  it('notices route-maps that zebra has and bgpd has not', () => {
    const judgement = createJudge(true)(wanted, running('fpm address 127.0.0.1\nroute-map m permit 10\nexit\n', ''));
    expect(judgement.lacking).toEqual(['frr.conf:2: "route-map m permit 10": bgpd does not have this line']);
    expect(isFulfilled(judgement)).toBe(false);
  });

  it('looks again when anything has changed', () => {
    const judge = createJudge(true);
    const good = running('fpm address 127.0.0.1\nroute-map m permit 10\nexit\n');
    expect(isFulfilled(judge(wanted, good))).toBe(true);
    expect(isFulfilled(judge(wanted, { ...good, bgpdConf: '' }))).toBe(false);
    expect(isFulfilled(judge(wanted, { ...good, conf: '' }))).toBe(false);
    expect(isFulfilled(judge({ ...wanted, text: `${wanted.text}vrf V\n vni 7\n` }, good))).toBe(false);
    expect(isFulfilled(judge(wanted, good))).toBe(true);
  });
});
