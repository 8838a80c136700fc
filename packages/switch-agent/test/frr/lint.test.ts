import { describe, expect, it } from 'vitest';
import { lintConf } from '../../src/frr/lint.ts';

const bgp = (...lines: readonly string[]): string => ['router bgp 65000', ...lines].join('\n');

/** What each rule is there for: a file, the line that is wrong, and a word of the reason. */
const wrong: ReadonlyArray<readonly [behaviour: string, conf: string, line: number, reason: RegExp]> = [
  ['le below the length', 'ip prefix-list a seq 5 permit 10.0.0.0/24 le 20', 1, /24 <= ge <= le/],
  ['ge above le', 'ip prefix-list a seq 5 permit 10.0.0.0/24 ge 28 le 26', 1, /24 <= ge <= le/],
  ['ge below the length', 'ipv6 prefix-list a seq 5 permit 2001:db8::/64 ge 48', 1, /64 <= ge <= le/],
  ['host bits in a prefix', 'ip prefix-list a seq 5 permit 10.0.0.1/24', 1, /bits behind its length/],
  ['host bits in an IPv6 prefix', 'ipv6 prefix-list a seq 5 permit 2001:db8::1/64', 1, /bits behind its length/],
  ['a prefix of the other family', 'ip prefix-list a seq 5 permit 2001:db8::/64', 1, /write "ipv6 prefix-list"/],
  ['no prefix at all', 'ip prefix-list a seq 5 permit 10.0.0.0/33', 1, /is not a prefix/],
  [
    'a number that is given twice',
    'ip prefix-list a seq 5 permit 10.0.0.0/24\nip prefix-list a seq 5 permit 10.0.1.0/24',
    2,
    /line 1, which has the number 5/,
  ],
  [
    'an entry that is given twice',
    'ip prefix-list a seq 5 permit 10.0.0.0/24\nip prefix-list a seq 10 permit 10.0.0.0/24',
    2,
    /says what line 1 says/,
  ],
  [
    'a prefix-list that is not there',
    'route-map m permit 10\n match ip address prefix-list a',
    2,
    /no ip prefix-list "a"/,
  ],
  [
    'a prefix-list that is there for IPv4 only',
    'ip prefix-list a seq 5 permit 10.0.0.0/24\nroute-map m permit 10\n match ipv6 address prefix-list a',
    3,
    /no ipv6 prefix-list "a"/,
  ],
  ['an as-path list that is not there', 'route-map m permit 10\n match as-path a', 2, /no as-path list "a"/],
  ['a community list that is not there', 'route-map m permit 10\n match community a', 2, /no community list "a"/],
  [
    'a route-map number that is given twice',
    'route-map m permit 10\nexit\nroute-map m deny 10',
    3,
    /line 1 has the same/,
  ],
  [
    'two VNIs in one entry, which let every route pass',
    'route-map m permit 10\n match evpn vni 1\n match evpn vni 2',
    3,
    /for every route/,
  ],
  [
    'two matches of one kind in one entry',
    'ip prefix-list a seq 5 permit any\nroute-map m permit 10\n match ip address prefix-list a\n match ip address prefix-list a',
    4,
    /keeps the last/,
  ],
  ['a VNI out of range', 'route-map m permit 10\n match evpn vni 16777216', 2, /1 to 16777215/],
  ['a map that calls itself', 'route-map m permit 10\n call m', 2, /cannot call itself/],
  ['a goto that goes back', 'route-map m permit 10\n on-match goto 10', 2, /behind 10/],
  [
    'a route-map of a neighbour that is not there',
    bgp(' neighbor e interface remote-as external', ' neighbor e route-map m in'),
    3,
    /no route-map "m"/,
  ],
  [
    'a route-map of a redistribution that is not there',
    bgp(' redistribute connected route-map m'),
    2,
    /no route-map "m"/,
  ],
  ['a route-map of a protocol that is not there', 'ip protocol bgp route-map m', 1, /no route-map "m"/],
  [
    'an IPv6 filter that asks for IPv4 addresses',
    `ip prefix-list a seq 5 permit any\nroute-map m permit 10\n match ip address prefix-list a\nexit\n${bgp(
      ' neighbor e interface remote-as external',
      ' address-family ipv6 unicast',
      '  neighbor e route-map m in',
    )}`,
    8,
    /every ipv6 route is lost/,
  ],
  ['a peer group that is not there', bgp(' neighbor e interface peer-group G'), 2, /no peer group "G"/],
  [
    'a peer group that comes too late',
    bgp(' neighbor e interface peer-group G', ' neighbor G peer-group'),
    2,
    /before it/,
  ],
  [
    'a neighbour that is not there',
    bgp(' address-family ipv6 unicast', '  neighbor e activate'),
    3,
    /no neighbour "e"/,
  ],
  [
    'a neighbour in two peer groups',
    bgp(
      ' neighbor G peer-group',
      ' neighbor H peer-group',
      ' neighbor e interface peer-group G',
      ' neighbor e interface peer-group H',
    ),
    5,
    /in peer group G already/,
  ],
  [
    'a hold time that is too short',
    bgp(' neighbor e interface remote-as external', ' neighbor e timers 8 2'),
    3,
    /hold time/,
  ],
  [
    'a hold time of less than three',
    bgp(' neighbor e interface remote-as external', ' neighbor e timers 1 2'),
    3,
    /hold time/,
  ],
  [
    'a hold time that is no more than the other',
    bgp(' neighbor e interface remote-as external', ' neighbor e timers 3 3'),
    3,
    /hold time/,
  ],
  [
    'a prefix-list of a neighbour that is not there',
    bgp(' neighbor e interface remote-as external', ' neighbor e prefix-list a in'),
    3,
    /no ip prefix-list "a"/,
  ],
  [
    'a prefix-list of a neighbour that is there for IPv4 only',
    `ip prefix-list a seq 5 permit any\n${bgp(
      ' neighbor e interface remote-as external',
      ' address-family ipv6 unicast',
      '  neighbor e prefix-list a out',
    )}`,
    5,
    /no ipv6 prefix-list "a"/,
  ],
  [
    'a filter-list that is not there',
    bgp(' neighbor e interface remote-as external', ' neighbor e filter-list a in'),
    3,
    /no as-path list "a"/,
  ],
  [
    'a distribute-list that is not there',
    bgp(' neighbor e interface remote-as external', ' neighbor e distribute-list a in'),
    3,
    /no access list "a"/,
  ],
  [
    'an IPv4 filter that asks for IPv6 addresses',
    `ipv6 prefix-list a seq 5 permit any\nroute-map m permit 10\n match ipv6 address prefix-list a\nexit\n${bgp(
      ' neighbor e interface remote-as external',
      ' address-family ipv4 unicast',
      '  neighbor e route-map m in',
    )}`,
    8,
    /only lets IPv6 pass, so every ipv4 route is lost/,
  ],
  ['two AS numbers of one VRF', 'router bgp 65000\nexit\nrouter bgp 65001', 3, /has AS 65000 since line 1/],
  [
    'a port that is a neighbour in two VRFs',
    `vrf V\n vni 7\nexit-vrf\n${bgp(' neighbor e interface remote-as external')}\nexit\nrouter bgp 65000 vrf V\n neighbor e interface remote-as external`,
    8,
    /VRF default already \(line 5\)/,
  ],
  ['an empty block of a VRF', 'vrf V\nexit-vrf\nip route 10.0.0.0/8 10.1.1.1', 1, /empty block/],
  ['a VRF that is not there', 'router bgp 65000 vrf V', 1, /no VRF "V"/],
  ["an interface's VRF that is not there", 'interface e vrf V', 1, /no VRF "V"/],
  ["a static route's VRF that is not there", 'ip route 10.0.0.0/8 10.1.1.1 vrf V', 1, /no VRF "V"/],
  ["a next hop's VRF that is not there", 'ip route 10.0.0.0/8 10.1.1.1 nexthop-vrf V', 1, /no VRF "V"/],
  ['a VNI of two VRFs', 'vrf V\n vni 7\nexit-vrf\nvrf W\n vni 7\nexit-vrf', 5, /VNI 7 is that of line 2/],
  ['the name of a VRF that Linux does not take', `vrf ${'V'.repeat(16)}\n vni 7`, 1, /up to 15 characters/],
  ['a port in two VRFs', 'vrf V\n vni 7\nexit-vrf\ninterface e vrf V\nexit\ninterface e', 6, /in VRF V by line 4/],
  ['host bits in a static route', 'ip route 10.0.0.1/8 10.1.1.1', 1, /bits behind its length/],
];

describe('lintConf', () => {
  it.each(wrong)('names the line of %s', (_behaviour, conf, line, reason) => {
    const problems = lintConf(conf);
    expect(problems.map((problem) => problem.line)).toEqual([line]);
    expect(problems[0]?.reason).toMatch(reason);
    expect(problems[0]?.text).toBe(conf.split('\n')[line - 1]?.trim());
  });

  it.each([
    ['le that equals the length', 'ip prefix-list a seq 5 permit 10.0.0.0/24 le 24'],
    ['a default route', 'ip prefix-list a seq 5 permit 0.0.0.0/0 le 32\nipv6 prefix-list a seq 5 permit ::/0 ge 48'],
    ['one name for both families', 'ip prefix-list a seq 5 permit any\nipv6 prefix-list a seq 5 permit any'],
    ['an IPv4-mapped prefix', 'ipv6 prefix-list a seq 5 permit ::ffff:10.0.0.0/120'],
    [
      'a map without a match in either family',
      `route-map m permit 10\nexit\n${bgp(' neighbor e remote-as 1', ' neighbor e route-map m in')}`,
    ],
    ['a definition behind its use', `${bgp(' redistribute connected route-map m')}\nexit\nroute-map m permit 10`],
    [
      'prose that sounds like a reference',
      bgp(' neighbor 10.0.0.1 remote-as 1', ' neighbor 10.0.0.1 description route-map none'),
    ],
    [
      'two blocks of one BGP instance',
      `${bgp(' neighbor G peer-group')}\nexit\n${bgp(' neighbor e interface peer-group G')}`,
    ],
    [
      'hold times of 0 and 3',
      bgp(' neighbor e interface remote-as external', ' neighbor e timers 0 0', ' neighbor e timers 1 3'),
    ],
    [
      'the lists of a neighbour by family',
      `ip prefix-list a seq 5 permit any\nipv6 prefix-list b seq 5 permit any\nbgp as-path access-list c permit .*\naccess-list d permit any\n${bgp(
        ' neighbor e interface remote-as external',
        ' neighbor e filter-list c in',
        ' neighbor e distribute-list d in',
        ' address-family ipv4 unicast',
        '  neighbor e prefix-list a in',
        ' exit-address-family',
        ' address-family ipv6 unicast',
        '  neighbor e prefix-list b in',
      )}`,
    ],
    [
      'a filter of EVPN that asks for addresses of one family',
      `ip prefix-list a seq 5 permit any\nroute-map m permit 10\n match ip address prefix-list a\nexit\n${bgp(
        ' neighbor e interface remote-as external',
        ' address-family l2vpn evpn',
        '  neighbor e route-map m in',
      )}`,
    ],
    [
      'a goto that goes on, and a call of another map',
      'route-map m permit 10\n on-match goto 20\n call n\nexit\nroute-map m permit 20\nexit\nroute-map n permit 10',
    ],
    ["SONiC's management VRF", 'ip route 0.0.0.0/0 10.0.0.1 nexthop-vrf mgmt'],
    ['commands that it does not know', 'router ospf\n ospf router-id 1.2.3.4\n network 10.0.0.0/8 area 0'],
  ])('lets pass %s', (_what, conf) => {
    expect(lintConf(conf)).toEqual([]);
  });

  it('takes the word of the caller for a VRF', () => {
    expect(lintConf('router bgp 65000 vrf V', ['V'])).toEqual([]);
  });

  it('gives the problems in the order of the lines', () => {
    const conf =
      'router bgp 1 vrf V\nexit\nip prefix-list a seq 5 permit 10.0.0.0/24 le 20\nip protocol bgp route-map m';
    expect(lintConf(conf).map(({ line }) => line)).toEqual([1, 3, 4]);
  });
});
