import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { describe, expect, it } from 'vitest';
import { frrField } from '../../src/config/frr.ts';
import { frrOf } from '../../src/frr/from-config.ts';
import type { BgpNeighbor, BgpNeighbors } from '../../src/frr/neighbors.ts';
import { MemoryDb, startUnitAgent } from '../unit-kit.ts';

const session: BgpNeighbor = {
  key: 'Ethernet4',
  vrf: 'Vrf1',
  neighbor: 'machine',
  peerGroup: 'MACHINE',
  state: 'established',
  establishedAtMs: 1000,
  sentPrefixes: 1,
  acceptedPrefixes: 2,
};

describe('BGP sessions in the heartbeat', () => {
  it('are told by nic name, and no more when FRR has not been heard of for a while', async () => {
    let answer: BgpNeighbors = { ok: true, neighbors: [session, { ...session, key: '10.0.0.1' }] };
    const { agent, clock, api, log } = startUnitAgent(() => ({
      namingSchema: 'swap',
      bgp: { read: () => Promise.resolve(answer), tellApi: true },
    }));
    await clock.advance(3000);
    expect(api.beats.at(-1)?.bgpStates).toEqual(new Map([['Eth1/2', session]]));
    answer = { ok: false, reason: 'bgpd is not running' };
    await clock.advance(3000);
    expect(api.beats.at(-1)?.bgpStates.size).toBe(1);
    expect(api.beats.at(-1)?.error).toContain('bgpd is not running');
    await clock.advance(5000);
    expect(api.beats.at(-1)?.bgpStates).toEqual(new Map());
    expect(log.records.filter(({ msg }) => msg.includes('bgpd is not running'))).toHaveLength(1);
    await agent.stop();
  });

  it('are missing without a word to the API where the switch is only watched', async () => {
    const { agent, clock, api, log } = startUnitAgent(() => ({
      bgp: { read: () => Promise.resolve({ ok: false, reason: 'no docker' }), tellApi: false },
    }));
    await clock.advance(3000);
    expect(api.beats.at(-1)?.error).toBeUndefined();
    expect(log.records.some(({ msg }) => msg.includes('no docker'))).toBe(true);
    await agent.stop();
  });

  it('do not hold up the heartbeat while FRR hangs', async () => {
    const { agent, clock, api } = startUnitAgent(() => ({
      bgp: {
        tellApi: true,
        read: (signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
      },
    }));
    await clock.advance(10_000);
    expect(api.beats.length).toBeGreaterThan(8);
    expect(api.beats.at(-1)?.bgpStates).toEqual(new Map());
    await agent.stop();
  });
});

describe('frrOf', () => {
  const surroundings = (cycleMs: number): Parameters<typeof frrOf>[1] => ({
    managementInterface: 'eth0',
    cycleMs,
    osVersion: 'SONiC.202411.1',
    configDb: new MemoryDb().set('DEVICE_METADATA', 'localhost', { docker_routing_config_mode: 'split' }),
    clock: new MockClock(),
    metrics: createMetrics(),
    log: new MemoryLogger(),
  });

  it('wants a cycle that is long enough to take back a reload that hangs', () => {
    const config = frrField.parse({});
    expect(() => frrOf(config, surroundings(269_000))).toThrow(/cycleTimeoutSeconds.*270 or more/);
    expect(() => frrOf(config, surroundings(270_000))).not.toThrow();
  });

  it.each([
    { vtysh: [] },
    { staticVrfs: [{ name: 'a VRF' }] },
    { staticVrfs: [{ name: 'V', vni: 2 ** 24 }] },
    { fpm: true },
  ])('refuses the setting %j', (config) => {
    expect(frrField.safeParse(config).success).toBe(false);
  });

  it('says that FRR is out of reach, and how it was asked', async () => {
    const frr = frrOf(frrField.parse({ vtysh: ['/nonexistent/vtysh', '-x'] }), surroundings(300_000));
    const { signal } = new AbortController();
    expect(await frr.observe(signal)).toEqual({ running: false, neighbors: new Set() });
    expect(await frr.neighbors(signal)).toMatchObject({ ok: false, reason: '/nonexistent/vtysh -x is not installed' });
  });
});
