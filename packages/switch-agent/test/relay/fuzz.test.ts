import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FLAG_BROADCAST, MessageType } from '@ingot/wire';
import { AGENT_RELAY_MODES } from '../../src/relay/link-settings.ts';
import { createBench, dhcp, ip, linkSettings, MAC, read, type RelayBench } from './kit.ts';

const { DISCOVER, OFFER, REQUEST } = MessageType;

const OWN_GIADDR = [ip('10.0.1.1'), ip('10.255.0.1')];
const agent = { code: 82, data: Uint8Array.of(1, 3, 0x61, 0x62, 0x63, 2, 1, 0x64, 5, 4, 10, 0, 1, 1) };
const seeds: readonly Uint8Array[] = [
  dhcp(DISCOVER),
  dhcp(DISCOVER, { options: [agent] }),
  dhcp(REQUEST, {
    options: [
      { code: 52, data: Uint8Array.of(3) },
      { code: 54, data: Uint8Array.of(10, 0, 1, 1) },
    ],
  }),
  ...OWN_GIADDR.map((giaddr) => dhcp(OFFER, { op: 2, giaddr, yiaddr: ip('10.0.1.9'), options: [agent] })),
  dhcp(OFFER, { op: 2, giaddr: ip('10.0.1.1'), options: [{ code: 43, data: new Uint8Array(1_200) }] }),
];

/** A real packet with some of its bytes overwritten, put in or left out; or nothing but rubbish. */
const hostile: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 700 }),
  fc
    .record({
      seed: fc.constantFrom(...seeds),
      at: fc.nat(1_500),
      remove: fc.nat(30),
      insert: fc.uint8Array({ maxLength: 30 }),
    })
    .map(({ seed, at, remove, insert }) => {
      const from = at % (seed.length + 1);
      return Uint8Array.from([...seed.subarray(0, from), ...insert, ...seed.subarray(from + remove)]);
    }),
  fc
    .record({ seed: fc.constantFrom(...seeds), flips: fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 }) })
    .map(({ seed, flips }) => {
      const flipped = seed.slice();
      for (const [at, value] of flips) flipped[at] = value;
      return flipped;
    }),
);

/** An exchange of an honest client: true if it hears its offer. */
async function isServed(bench: RelayBench, xid: number): Promise<boolean> {
  const [server] = bench.servers;
  bench.link().request(dhcp(DISCOVER, { xid, flags: FLAG_BROADCAST }));
  await bench.settle();
  const asked = server.received.map(({ data }) => read(data).packet).find((packet) => packet.xid === xid);
  if (asked === undefined) return false;
  const options = asked.options.filter(({ code }) => code === 82);
  const offer = dhcp(OFFER, { op: 2, xid, giaddr: asked.giaddr, yiaddr: ip('10.0.1.100'), chaddr: MAC, options });
  await server.reply(offer, asked.giaddr);
  await bench.settle();
  return bench.link().sent.some(({ reply }) => read(reply.data).packet.xid === xid);
}

describe('whatever comes', () => {
  test.each(AGENT_RELAY_MODES.flatMap((mode) => [[mode, false] as const, [mode, true] as const]))(
    'in mode %s, link selection %j: no packet throws, all that goes out is DHCP, and honest clients are served',
    async (agentRelayMode, linkSelection) => {
      await using bench = await createBench();
      const settings = linkSettings({
        agentRelayMode,
        linkSelection,
        downstreamRelays: true,
        serverIdOverride: true,
        servers: [ip('10.0.0.1'), ip('10.0.0.2')],
        ...(linkSelection ? { sourceInterface: 'Loopback0' } : {}),
      });
      await bench.apply(settings, { ...settings, name: 'Vlan4001' });
      let xid = 0x7000_0000;
      const giaddr = linkSelection ? '10.255.0.1' : '10.0.1.1';
      await fc.assert(
        fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 40 }), async (packets) => {
          for (const data of packets) {
            bench.link().request(data);
            bench.link().request(data, { target: { address: '10.0.1.1', port: 67 } });
            await bench.servers[0].reply(data, giaddr);
          }
          await bench.settle();
          for (const { data } of bench.servers[0].received) {
            const { packet } = read(data);
            expect(packet.op).toBe(1);
            expect(packet.hops).toBeGreaterThan(0);
          }
          for (const { reply } of bench.link().sent) expect(read(reply.data).packet.op).toBe(2);
          bench.servers[0].received.length = 0;
          bench.link().sent.length = 0;
          xid += 1;
          expect(await isServed(bench, xid)).toBe(true);
          bench.servers[0].received.length = 0;
          bench.servers[1].received.length = 0;
          bench.link().sent.length = 0;
        }),
        { numRuns: 25 },
      );
    },
  );

  test('a flood of offers and refusals fills no table', async () => {
    await using bench = await createBench();
    await bench.apply(linkSettings({ serverIdOverride: true, servers: [ip('10.0.0.1'), ip('10.0.0.2')] }));
    for (let xid = 0; xid < 6_000; xid += 1) {
      await bench.servers[0].reply(
        dhcp(OFFER, { op: 2, xid, giaddr: ip('10.0.1.1'), yiaddr: ip('10.0.1.9') }),
        '10.0.1.1',
      );
      if (xid % 500 === 0) await bench.settle();
    }
    await bench.settle();
    expect(bench.link().sent).toHaveLength(6_000);
    // The first were forgotten, the last were not.
    const request = (xid: number): Uint8Array =>
      dhcp(REQUEST, {
        xid,
        options: [
          { code: 50, data: Uint8Array.of(10, 0, 1, 9) },
          { code: 54, data: Uint8Array.of(10, 0, 1, 1) },
        ],
      });
    bench.link().request(request(1));
    await bench.settle();
    expect(bench.servers[1].received).toHaveLength(1);
    bench.link().request(request(5_999));
    await bench.settle();
    expect(bench.servers[1].received).toHaveLength(1);
    expect(bench.servers[0].received).toHaveLength(2);
  });
});
