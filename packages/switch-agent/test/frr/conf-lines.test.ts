import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareConf, defaultNeighbors, lackingInBgpd, runningPart } from '../../src/frr/compare.ts';
import { parseConf, printConf, type ConfLine } from '../../src/frr/conf-lines.ts';

const goldens = join(import.meta.dirname, 'goldens');
const said = (text: string): ReadonlyArray<Omit<ConfLine, 'number'>> =>
  parseConf(text).map(({ text: words, path, opens }) => ({ text: words, path, opens }));

describe('parseConf', () => {
  it('knows blocks by their words and not by their indentation', () => {
    const conf = 'router bgp 1\naddress-family ipv4 unicast\nneighbor e activate\nip prefix-list a seq 5 permit any\n';
    expect(parseConf(conf).map(({ path }) => path.length)).toEqual([0, 1, 2, 0]);
  });

  it('closes blocks by exit, by the words for it, and by end', () => {
    const conf = [
      'router bgp 1',
      ' address-family l2vpn evpn',
      '  vni 7',
      '   rd 1:1',
      '  exit-vni',
      '  advertise-all-vni',
      ' exit-address-family',
      ' bgp router-id 1.1.1.1',
      'exit',
      'vrf V',
      ' ip route 10.0.0.0/8 Null0',
      'exit-vrf',
      'ip route 11.0.0.0/8 Null0',
      'route-map m permit 10',
      'end',
      'ip route 12.0.0.0/8 Null0',
    ].join('\n');
    const depths = parseConf(conf).map(({ number, path }) => [number, path.length]);
    expect(Object.fromEntries(depths)).toEqual({
      1: 0,
      2: 1,
      3: 2,
      4: 3,
      6: 2,
      8: 1,
      10: 0,
      11: 1,
      13: 0,
      14: 0,
      16: 0,
    });
  });
});

describe('printConf', () => {
  it('prints every golden file so that it reads the same', async () => {
    for (const name of await readdir(goldens)) {
      const text = await readFile(join(goldens, name), 'utf8');
      expect(said(printConf(parseConf(text)))).toEqual(said(text));
    }
  });
});

describe('compareConf', () => {
  const file = [
    'hostname leaf01',
    'vrf V',
    ' vni 7',
    'exit-vrf',
    'interface e vrf V',
    ' ipv6 nd ra-interval 6',
    'exit',
    'ip prefix-list a seq 5 permit 2001:db8::/32',
    'ip route 10.0.0.0/8 Null0 vrf V',
  ].join('\n');

  it("takes FRR's spelling for its own", () => {
    const running = [
      'frr version 8.4.4',
      'hostname vm',
      'vrf V',
      ' ip route 10.0.0.0/8 Null0',
      ' vni 7',
      'exit-vrf',
      'interface e',
      ' ipv6 nd ra-interval 6',
      'exit',
      'ipv6 prefix-list a seq 5 permit 2001:db8::/32',
      'end',
    ].join('\n');
    expect(compareConf(file, running)).toEqual({ missing: [], left: [] });
  });

  it.each([
    [
      'ipv6 prefix-list a seq 5 permit ::ffff:10.0.0.0/104 le 128',
      'ipv6 prefix-list a seq 5 permit ::ffff:a00:0/104 le 128',
    ],
    ['ipv6 route 2001:db8:0:0::/64 2001:db8::0:1', 'ipv6 route 2001:db8::/64 2001:db8::1'],
    ['ip route 10.0.0.1/8 10.1.1.1', 'ip route 10.0.0.0/8 10.1.1.1'],
  ])('takes %j for %j', (written, shown) => {
    expect(compareConf(written, shown)).toEqual({ missing: [], left: [] });
  });

  it.each([
    ['ip prefix-list a seq 5 permit 10.0.0.0/8', 'ip prefix-list a seq 5 permit 10.0.0.0/9'],
    ['ipv6 prefix-list a seq 5 permit 2001:db8::/32', 'ipv6 prefix-list a seq 5 permit 2001:db9::/32'],
    ['ip prefix-list a seq 5 permit 10.0.0.0/8 le 32', 'ip prefix-list a seq 5 permit 10.0.0.0/8'],
  ])('tells %j from %j', (written, shown) => {
    expect(compareConf(written, shown).missing).toHaveLength(1);
  });

  it('names what does not run, and what nobody wants', () => {
    const { missing, left } = compareConf(
      file,
      'router bgp 1\n neighbor e2 interface peer-group G\n bgp always-compare-med',
    );
    expect(missing.map(({ number }) => number)).toEqual([3, 6, 8, 9]);
    expect(left.map(({ text }) => text)).toEqual(['router bgp 1', 'neighbor e2 interface peer-group G']);
  });
});

describe('lackingInBgpd', () => {
  const file =
    'route-map m permit 10\n match ip address prefix-list a\nexit\nip prefix-list a seq 5 permit any\nvrf V\n vni 7';
  const zebra = `${file}\nroute-map other permit 10`;
  const lacking = (bgpdConf: string, conf = zebra): readonly string[] =>
    lackingInBgpd(file, { conf, bgpdConf }).map(({ text }) => text);

  it('names the maps and lists of the file that run, but not in bgpd', () => {
    expect(lacking('')).toEqual(['route-map m permit 10', 'ip prefix-list a seq 5 permit any']);
    expect(lacking('ip prefix-list a seq 5 permit any')).toEqual(['route-map m permit 10']);
  });

  it('has nothing to say of a bgpd that has them, nor of what runs nowhere', () => {
    expect(lacking('route-map m permit 10\nip prefix-list a seq 5 permit any')).toEqual([]);
    expect(lacking('', 'vrf V\n vni 7')).toEqual([]);
  });
});

describe('runningPart', () => {
  it('keeps what runs already, without blocks that would be empty', () => {
    const file =
      'log syslog errors\nvrf V\n vni 7\nexit-vrf\nrouter bgp 1\n bgp router-id 1.1.1.1\n neighbor e interface remote-as external\n';
    const running =
      'vrf V\nexit-vrf\nrouter bgp 1\n neighbor e interface remote-as external\n neighbor f interface remote-as external\n';
    expect(runningPart(file, running)).toBe(
      'log syslog errors\nrouter bgp 1\n neighbor e interface remote-as external\nexit\n',
    );
  });
});

describe('defaultNeighbors', () => {
  it('gives the ports of the default VRF only', () => {
    const running =
      'router bgp 1\n neighbor Ethernet2 interface peer-group F\n neighbor 10.0.0.1 remote-as 2\nexit\nrouter bgp 1 vrf V\n neighbor Ethernet0 interface peer-group M\n';
    expect(defaultNeighbors(running)).toEqual(new Set(['Ethernet2']));
  });
});
