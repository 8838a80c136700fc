import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FabricModel } from '../../src/fabric-model.ts';
import { parseConf } from '../../src/frr/conf-lines.ts';
import { lintConf } from '../../src/frr/lint.ts';
import { renderConf } from '../../src/frr/render.ts';
import { bareModel, closedModel, fullSettings, plainSettings, rackModel } from './models.ts';
import { randomModel } from './random-model.ts';

const golden = (name: string): string => join(import.meta.dirname, 'goldens', `${name}.conf`);

/** The lines within a block, by the line that opens it. */
function block(model: FabricModel, ...path: readonly string[]): readonly string[] {
  return parseConf(renderConf(model, plainSettings).text)
    .filter((line) => line.path.join('/') === path.join('/'))
    .map((line) => line.text);
}

describe('renderConf', () => {
  it.each([
    ['bare', bareModel, plainSettings],
    ['rack', rackModel, plainSettings],
    ['closed', closedModel, plainSettings],
    ['full', { ...rackModel, logLevel: 'debug' } as const, fullSettings],
  ] as const)('writes the golden %s.conf', async (name, model, settings) => {
    const { text, vrfs } = renderConf(model, settings);
    await expect(text).toMatchFileSnapshot(golden(name));
    expect(lintConf(text, vrfs)).toEqual([]);
  });

  it('filters the IPv6 routes of a firewall by its IPv6 prefixes', () => {
    const router = `router bgp ${rackModel.asn}`;
    expect(block(rackModel, router, 'address-family ipv4 unicast')).toContain(
      'neighbor Ethernet2 route-map fw-Ethernet2-in in',
    );
    expect(block(rackModel, router, 'address-family ipv6 unicast')).toContain(
      'neighbor Ethernet2 route-map fw-Ethernet2-in6 in',
    );
    expect(block(rackModel, 'route-map fw-Ethernet2-in6 permit 10')).toEqual([
      'match ipv6 address prefix-list fw-Ethernet2-in6-prefixes',
    ]);
  });

  it('denies in so many words whatever has no prefix or VNI', () => {
    const openers = block(closedModel);
    for (const map of ['fw-Ethernet2-in', 'fw-Ethernet2-in6', 'fw-Ethernet2-vni', 'Vrf7-in']) {
      expect(openers).toContain(`route-map ${map} deny 10`);
      expect(openers.filter((line) => line.startsWith(`route-map ${map} permit`))).toEqual([]);
    }
  });

  it('leaves out a VRF without ports, so that its routes are withdrawn', () => {
    expect(renderConf(closedModel, plainSettings).text).not.toMatch(/Vrf8\b/);
  });

  it('says where a line of an include file was written', () => {
    const { text, origin } = renderConf(rackModel, fullSettings);
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.includes('neighbor 192.0.2.1 remote-as')) + 1;
    expect(origin(at)).toEqual({ path: '/etc/ingot/frr.after.conf', line: 2 });
    expect(origin(1)).toBeUndefined();
  });

  it('renders every model to something that the lint accepts', () => {
    fc.assert(
      fc.property(randomModel(24), fc.constantFrom(plainSettings, fullSettings), (model, settings) => {
        const asOfInclude = settings === fullSettings ? { ...model, asn: rackModel.asn } : model;
        const { text, vrfs } = renderConf(asOfInclude, settings);
        expect(lintConf(text, vrfs)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
