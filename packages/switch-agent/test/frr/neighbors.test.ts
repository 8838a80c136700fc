import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BgpNeighbor, type BgpNeighbors, neighborsByPort, parseBgpNeighbors } from '../../src/frr/neighbors.ts';

// As FRR 8.4.4 prints them, shortened to what is read and a few fields that are not.
const established = {
  bgpNeighborAddr: 'fe80::74f8:e6ff:fe12:18d',
  remoteAs: 4_200_000_002,
  hostname: 'spine01',
  peerGroup: 'FABRIC',
  bgpState: 'Established',
  bgpTimerUpMsec: 3000,
  bgpTimerUpEstablishedEpoch: 1_795_264_464,
  addressFamilyInfo: {
    ipv4Unicast: { acceptedPrefixCounter: 3, sentPrefixCounter: 2 },
    ipv6Unicast: { acceptedPrefixCounter: 4, sentPrefixCounter: 5 },
    l2VpnEvpn: { acceptedPrefixCounter: 100, sentPrefixCounter: 100 },
  },
};
const waiting = {
  bgpNeighborAddr: 'none',
  remoteAs: 0,
  peerGroup: 'MACHINE',
  bgpState: 'Idle',
  addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: 0 } },
  lastResetDueTo: 'Waiting for Peer IPv6 LLA',
};

function read(value: unknown): readonly BgpNeighbor[] {
  return neighborsOf(parseBgpNeighbors(JSON.stringify(value)));
}

function neighborsOf(answer: BgpNeighbors): readonly BgpNeighbor[] {
  if (!answer.ok) throw new Error(answer.reason);
  return answer.neighbors;
}

describe('parseBgpNeighbors', () => {
  it('reads an established session, counting unicast prefixes and no EVPN routes', () => {
    expect(read({ default: { vrfId: 0, vrfName: 'default', Ethernet120: established } })).toEqual([
      {
        key: 'Ethernet120',
        vrf: 'default',
        neighbor: 'spine01',
        peerGroup: 'FABRIC',
        state: 'established',
        establishedAtMs: 1_795_264_464_000,
        sentPrefixes: 7,
        acceptedPrefixes: 7,
      },
    ]);
  });

  it('never leaves a name empty that the API would refuse the heartbeat for', () => {
    const [neighbor] = read({ Vrf42: { vrfId: -1, vrfName: 'Vrf42', Ethernet0: { ...waiting, peerGroup: '' } } });
    expect(neighbor).toMatchObject({ neighbor: 'unknown', peerGroup: 'unknown', vrf: 'Vrf42', establishedAtMs: 0 });
  });

  it.each(['Clearing', 'Deleted', 'Unheard', 7, null])('takes the state %j for idle', (bgpState) => {
    expect(read({ default: { Ethernet0: { ...waiting, bgpState } } })[0]?.state).toBe('idle');
  });

  it.each([
    ['Connect', 'connect'],
    ['Active', 'active'],
    ['OpenSent', 'open-sent'],
    ['OpenConfirm', 'open-confirm'],
  ])('takes the state %s for %s', (bgpState, state) => {
    expect(read({ default: { Ethernet0: { ...waiting, bgpState } } })[0]?.state).toBe(state);
  });

  it("counts the families in Cumulus's spelling", () => {
    const addressFamilyInfo = {
      'IPv4 Unicast': { acceptedPrefixCounter: 1 },
      'IPv6 Unicast': { sentPrefixCounter: 2 },
    };
    const [neighbor] = read({ default: { swp1: { ...waiting, addressFamilyInfo } } });
    expect(neighbor).toMatchObject({ sentPrefixes: 2, acceptedPrefixes: 1 });
  });

  it('does not believe numbers that cannot be', () => {
    const addressFamilyInfo = { ipv4Unicast: { acceptedPrefixCounter: -1, sentPrefixCounter: 1e300 }, ipv6Unicast: [] };
    const liar = { ...established, bgpTimerUpEstablishedEpoch: 9e15, addressFamilyInfo };
    const [neighbor] = read({ default: { Ethernet0: liar } });
    expect(neighbor).toMatchObject({ sentPrefixes: 0, acceptedPrefixes: 0, establishedAtMs: 0 });
  });

  it('cuts a name that is too long, and mends one that is no text', () => {
    const [long, broken] = read({
      default: { Ethernet0: { ...established, hostname: 'x'.repeat(500) }, Ethernet1: { hostname: '\uD800abc' } },
    });
    expect(long?.neighbor).toHaveLength(128);
    expect(broken?.neighbor).toBe('\uFFFDabc');
  });

  it.each(['', 'bgpd is not running', '{"default":{"vrfId":0,"Eth', '[]', 'null', '7'])(
    'says so when the answer is %j',
    (output) => {
      expect(parseBgpNeighbors(output)).toMatchObject({ ok: false, reason: expect.stringContaining('BGP neighbours') });
    },
  );

  it('takes any JSON without a throw, and gives names and numbers that the API takes', () => {
    const json = fc.oneof(
      fc.json(),
      fc
        .dictionary(
          fc.string(),
          fc.dictionary(fc.string(), fc.record({ hostname: fc.anything(), bgpState: fc.anything() })),
        )
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(json, (text) => {
        const answer = parseBgpNeighbors(text);
        if (!answer.ok) return;
        for (const { vrf, neighbor, peerGroup, establishedAtMs } of answer.neighbors) {
          for (const name of [vrf, neighbor, peerGroup]) {
            expect(Array.from(name).length).toBeGreaterThanOrEqual(2);
            expect(Array.from(name).length).toBeLessThanOrEqual(128);
          }
          expect(establishedAtMs).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('is not led astray by a neighbour called __proto__', () => {
    const answer = parseBgpNeighbors('{"__proto__":{"__proto__":{"bgpState":"Active"}}}');
    expect(neighborsOf(answer)).toMatchObject([{ key: '__proto__', vrf: '__proto__', state: 'active' }]);
    expect(neighborsByPort(neighborsOf(answer)).get('__proto__')?.state).toBe('active');
  });
});

describe('neighborsByPort', () => {
  it('prefers the established session of a port that is a neighbour in two VRFs', () => {
    const [first, second] = [{ Vrf1: { Ethernet0: waiting } }, { Vrf2: { Ethernet0: established } }];
    expect(neighborsByPort(read({ ...first, ...second })).get('Ethernet0')?.vrf).toBe('Vrf2');
    expect(neighborsByPort(read({ ...second, ...first })).get('Ethernet0')?.vrf).toBe('Vrf2');
  });

  it('gives the first VRF in natural order when none is established', () => {
    const vrfs = { Vrf10: { Ethernet0: waiting }, Vrf9: { Ethernet0: waiting } };
    expect(neighborsByPort(read(vrfs)).get('Ethernet0')?.vrf).toBe('Vrf9');
  });
});
