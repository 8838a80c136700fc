import { describe, expect, it } from 'vitest';
import { imageFeatures, routingModeProblem } from '../../src/frr/image.ts';
import type { RunningFrr } from '../../src/frr/vtysh.ts';

const auto = { fpm: 'auto', snmp: 'auto' } as const;

function running(modules: readonly string[]): RunningFrr {
  return { daemons: new Map([['zebra', { modules: new Set(modules) }]]), conf: '', bgpdConf: '' };
}

describe('imageFeatures', () => {
  it.each([
    [['libfrr', 'zebra', 'dplane_fpm_nl'], { fpm: true, snmp: false }],
    [['libfrr', 'zebra', 'dplane_fpm_sonic', 'zebra_snmp'], { fpm: true, snmp: true }],
    // The older module connects to its peer without being told.
    [['libfrr', 'zebra', 'fpm', 'snmp'], { fpm: false, snmp: true }],
    [['libfrr', 'zebra'], { fpm: false, snmp: false }],
  ])('takes the modules %j for what they need', (modules, features) => {
    expect(imageFeatures(auto, running(modules), undefined)).toEqual(features);
  });

  it('takes what is configured before what is seen', () => {
    expect(imageFeatures({ fpm: 'on', snmp: 'off' }, running(['zebra_snmp']), undefined)).toEqual({
      fpm: true,
      snmp: false,
    });
  });

  it("keeps the lines of the image's start script while FRR is down", () => {
    const file = 'agentx\nno fpm use-next-hop-groups\nfpm address 127.0.0.1\n';
    expect(imageFeatures(auto, undefined, file)).toEqual({ fpm: true, snmp: true });
    expect(imageFeatures(auto, undefined, undefined)).toEqual({ fpm: false, snmp: false });
  });
});

describe('routingModeProblem', () => {
  it.each([
    ['split-unified', 'SONiC.202411.0-1a2b3c4'],
    ['split-unified', 'SONiC.master.100'],
    ['split', 'SONiC.Edgecore-SONiC_20240125_072837_ec202111_418'],
  ])('has nothing to say about %s on %s', (mode, version) => {
    expect(routingModeProblem(mode, version)).toBeUndefined();
  });

  it.each([
    ['split', 'SONiC.202411.0-1a2b3c4', /deletes frr\.conf.*"split-unified"/],
    [undefined, 'SONiC.202405.1', /"separated".*"split-unified"/],
    ['unified', 'SONiC.Edgecore-SONiC_20240125_072837_ec202111_418', /a frr\.conf of its own.*"split"/],
    ['sideways', 'SONiC.202411.0', /"sideways"/],
  ])('says that %s on %s loses frr.conf', (mode, version, problem) => {
    expect(routingModeProblem(mode, version)).toMatch(problem);
  });
});
