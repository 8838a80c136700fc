import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MockClock, MockNetwork, mockEntropy, type Datagram, type Impairment, type UdpSocket } from '../src/index.ts';

const TEXT = new TextDecoder();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function collect(socket: UdpSocket): string[] {
  const texts: string[] = [];
  socket.onDatagram(({ data }: Datagram) => texts.push(TEXT.decode(data)));
  return texts;
}

/** Sends the numbers 0 to count-1 through an impaired network, and gives back what arrived, in its order. */
async function arrivalsOf(impairment: Impairment, count: number, seed = 1): Promise<number[]> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(seed), ...impairment });
  const sender = await network.host('a', '10.0.0.1').bindUdp({ address: '10.0.0.1', port: 1 });
  const receiver = await network.host('b', '10.0.0.2').bindUdp({ address: '10.0.0.2', port: 2 });
  const texts = collect(receiver);
  for (let index = 0; index < count; index += 1) {
    await sender.send(bytes(String(index)), { address: '10.0.0.2', port: 2 });
  }
  await clock.advance(60_000);
  return texts.map(Number);
}

const ascending = (left: number, right: number): number => left - right;

describe('delivery', () => {
  it('takes as long as the delay says', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock, delayMs: 40 });
    const sender = await network.host('a', '10.0.0.1').bindUdp({ address: '10.0.0.1', port: 1 });
    const texts = collect(await network.host('b', '10.0.0.2').bindUdp({ address: '0.0.0.0', port: 2 }));
    await sender.send(bytes('x'), { address: '10.0.0.2', port: 2 });
    await clock.advance(39);
    expect(texts).toEqual([]);
    await clock.advance(1);
    expect(texts).toEqual(['x']);
  });

  it('reaches hosts of other subnets, as through a router, and says where it came from', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const sender = await network.host('a', '10.0.0.1/24').bindUdp({ address: '0.0.0.0', port: 68 });
    const receiver = await network.host('b', '10.9.0.1/24').bindUdp({ address: '0.0.0.0', port: 67 });
    const sources: unknown[] = [];
    receiver.onDatagram(({ source }) => sources.push(source));
    await sender.send(bytes('x'), { address: '10.9.0.1', port: 67 });
    await clock.advance(0);
    expect(sources).toEqual([{ address: '10.0.0.1', port: 68 }]);
  });

  it('loses what is sent to nobody, or to a closed port', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const sender = await network.host('a', '10.0.0.1').bindUdp({ address: '10.0.0.1', port: 1 });
    network.host('b', '10.0.0.2');
    await sender.send(bytes('x'), { address: '10.0.0.2', port: 2 });
    await sender.send(bytes('x'), { address: '10.0.0.99', port: 2 });
    await clock.advance(1000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('prefers the socket bound to the very address, then the one bound last', async () => {
    const clock = new MockClock();
    const host = new MockNetwork({ clock }).host('a', '10.0.0.1');
    const exact = collect(await host.bindUdp({ address: '10.0.0.1', port: 5, reuseAddress: true }));
    const wild = collect(await host.bindUdp({ address: '0.0.0.0', port: 5, reuseAddress: true }));
    const sender = await host.bindUdp({ address: '10.0.0.1', port: 0 });
    await sender.send(bytes('x'), { address: '10.0.0.1', port: 5 });
    await clock.advance(0);
    expect({ exact, wild }).toEqual({ exact: ['x'], wild: [] });
  });

  it('stops while the link is down', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const sender = await network.host('a', '10.0.0.1').bindUdp({ address: '10.0.0.1', port: 1 });
    const host = network.host('b', '10.0.0.2');
    const texts = collect(await host.bindUdp({ address: '10.0.0.2', port: 2 }));
    host.linkUp = false;
    await sender.send(bytes('down'), { address: '10.0.0.2', port: 2 });
    await clock.advance(10);
    host.linkUp = true;
    await sender.send(bytes('up'), { address: '10.0.0.2', port: 2 });
    await clock.advance(10);
    expect(texts).toEqual(['up']);
  });
});

describe('broadcast', () => {
  async function lan() {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const wild = { address: '0.0.0.0', port: 67, broadcast: true };
    const sender = await network.host('a', '10.0.0.1/24').bindUdp({ ...wild, port: 68 });
    const near = collect(await network.host('near', '10.0.0.2/24').bindUdp(wild));
    const specific = collect(await network.host('specific', '10.0.0.3/24').bindUdp({ ...wild, address: '10.0.0.3' }));
    const far = collect(await network.host('far', '10.0.1.1/24').bindUdp(wild));
    return { clock, sender, near, specific, far };
  }

  it.each(['255.255.255.255', '10.0.0.255'])('to %s reaches its own link and no other', async (address) => {
    const { clock, sender, near, far } = await lan();
    await sender.send(bytes('x'), { address, port: 67 });
    await clock.advance(0);
    expect({ near, far }).toEqual({ near: ['x'], far: [] });
  });

  it('passes by a socket that is bound to one address, as on Linux', async () => {
    const { clock, sender, specific } = await lan();
    await sender.send(bytes('x'), { address: '255.255.255.255', port: 67 });
    await clock.advance(0);
    expect(specific).toEqual([]);
  });

  it('reaches every socket that shares the port', async () => {
    const clock = new MockClock();
    const host = new MockNetwork({ clock }).host('a', '10.0.0.1/24');
    const options = { address: '0.0.0.0', port: 67, broadcast: true, reuseAddress: true };
    const sender = await host.bindUdp(options);
    const first = collect(sender);
    const second = collect(await host.bindUdp(options));
    await sender.send(bytes('x'), { address: '10.0.0.255', port: 67 });
    await clock.advance(0);
    expect({ first, second }).toEqual({ first: ['x'], second: ['x'] });
  });
});

describe('an IPv6 multicast group', () => {
  const group = 'ff02::1:2%rack';
  const groups = [{ address: 'ff02::1:2', interfaceName: 'rack' }];

  it('reaches the members on its link, who can answer to the address on the link that it came from', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const client = await network.host('client', 'fe80::1%rack').bindUdp({ address: '::', port: 546 });
    const server = network.host('server', 'fe80::2%rack', '2001:db8::2');
    const member = await server.bindUdp({ address: group, port: 547, groups });
    const unicast = collect(await server.bindUdp({ address: '2001:db8::2', port: 547 }));
    const outsider = collect(await network.host('outsider', 'fe80::3%rack').bindUdp({ address: '::', port: 547 }));
    const far = await network.host('far', 'fe80::1%other').bindUdp({
      address: '::',
      port: 547,
      groups: [{ address: 'ff02::1:2', interfaceName: 'other' }],
    });
    const elsewhere = collect(far);
    const sources: unknown[] = [];
    member.onDatagram(({ source, data }) => {
      sources.push(source);
      void member.send(data, source);
    });
    const answers: unknown[] = [];
    client.onDatagram(({ source }) => answers.push(source));
    await client.send(bytes('x'), { address: group, port: 547 });
    await client.send(bytes('x'), { address: 'ff02::1:2%other', port: 547 });
    await clock.advance(0);
    expect(sources).toEqual([{ address: 'fe80::1%rack', port: 546 }]);
    expect(answers).toEqual([{ address: 'fe80::2%rack', port: 547 }]);
    expect([unicast, outsider, elsewhere]).toEqual([[], [], []]);
  });
});

describe('interceptors', () => {
  it('see, drop and replace datagrams until they are taken out', async () => {
    const clock = new MockClock();
    const network = new MockNetwork({ clock });
    const sender = await network.host('a', '10.0.0.1').bindUdp({ address: '10.0.0.1', port: 1 });
    const texts = collect(await network.host('b', '10.0.0.2').bindUdp({ address: '10.0.0.2', port: 2 }));
    const seen: string[] = [];
    const remove = network.intercept((datagram) => {
      const text = TEXT.decode(datagram.data);
      seen.push(text);
      if (text === 'drop') return 'drop';
      return text === 'change' ? { ...datagram, data: bytes('changed') } : undefined;
    });
    for (const text of ['pass', 'drop', 'change']) await sender.send(bytes(text), { address: '10.0.0.2', port: 2 });
    remove();
    await sender.send(bytes('drop'), { address: '10.0.0.2', port: 2 });
    await clock.advance(0);
    expect(seen).toEqual(['pass', 'drop', 'change']);
    expect(texts).toEqual(['pass', 'changed', 'drop']);
  });
});

describe('impairments', () => {
  const probability = fc.double({ min: 0, max: 1, noNaN: true });
  const count = fc.integer({ min: 0, max: 20 });

  it('deliver everything once and in order when there are none', async () => {
    await fc.assert(
      fc.asyncProperty(count, async (sent) => {
        expect(await arrivalsOf({}, sent)).toEqual(Array.from({ length: sent }, (_, index) => index));
      }),
      { numRuns: 10 },
    );
  });

  it('never invent a datagram, and never deliver more than two copies', async () => {
    const impairment = fc.record({
      loss: probability,
      duplicate: probability,
      reorder: probability,
      delayMs: fc.nat(100),
      jitterMs: fc.nat(100),
    });
    await fc.assert(
      fc.asyncProperty(impairment, count, fc.integer(), async (how, sent, seed) => {
        const arrived = await arrivalsOf(how, sent, seed);
        for (const value of new Set(arrived)) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThan(sent);
          expect(arrived.filter((each) => each === value).length).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('are the same for the same seed', async () => {
    const how = { loss: 0.3, duplicate: 0.3, reorder: 0.3, jitterMs: 10 };
    expect(await arrivalsOf(how, 30, 7)).toEqual(await arrivalsOf(how, 30, 7));
    expect(await arrivalsOf(how, 30, 7)).not.toEqual(await arrivalsOf(how, 30, 8));
  });

  it('lose about as many as they should', async () => {
    const arrived = await arrivalsOf({ loss: 0.25 }, 400);
    expect(arrived.length).toBeGreaterThan(260);
    expect(arrived.length).toBeLessThan(340);
  });

  it('reorder without losing', async () => {
    const arrived = await arrivalsOf({ reorder: 0.5 }, 20);
    expect(arrived).not.toEqual(arrived.toSorted(ascending));
    expect(arrived.toSorted(ascending)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });
});

describe('hosts', () => {
  it.each(['', 'localhost', '10.0.0.1/33', '10.0.0.256', '10.0.0.1/24/1', '10.0.0.1/'])(
    'refuse the address "%s"',
    (address) => {
      const network = new MockNetwork({ clock: new MockClock() });
      expect(() => network.host('a', address)).toThrow(expect.objectContaining({ code: 'NET_INVALID_ADDRESS' }));
    },
  );

  it('refuse an address that another host has, and name that one', () => {
    const network = new MockNetwork({ clock: new MockClock() });
    network.host('first', '10.0.0.1/24');
    expect(() => network.host('second', '10.0.0.1/16')).toThrow('host first already has 10.0.0.1');
  });
});
