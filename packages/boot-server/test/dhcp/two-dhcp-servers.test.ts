import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHealth, createMetrics, MemoryLogger, Redactor } from '@ingot/daemon';
import { MockClock, mockEntropy, MockNetwork, type UdpSocket } from '@ingot/net';
import { MessageType, type DhcpOption } from '@ingot/wire';
import { startBootServer, type BootServer } from '../../src/boot-server.ts';
import type { SubnetConfig } from '../../src/config/dhcp.ts';
import { httpConfig, subnetConfig, testConfig } from '../support/config.ts';
import { addressOption, selecting } from '../support/dhcp-client.ts';
import { CLIENTS, ip, MAC_1, message, readReply, type Reply } from '../support/dhcp-messages.ts';
import { FakeApi } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const { DISCOVER, OFFER, REQUEST, ACK } = MessageType;
const client = { mac: MAC_1, kind: CLIENTS.udhcpc };
const A = '10.0.0.1';
const B = '10.0.0.2';
const typeOf = (reply: Reply | undefined): number | undefined => reply?.options.get(53)?.[0];
const serverOf = (reply: Reply | undefined): string => [...(reply?.options.get(54) ?? [])].join('.');

interface Rack {
  readonly clock: MockClock;
  readonly servers: Readonly<Record<typeof A | typeof B, BootServer>>;
  /** By broadcast, from a NIC on the servers' link: what both answer. */
  broadcast(type: MessageType, options?: readonly DhcpOption[], ciaddr?: string): Promise<Reply[]>;
  unicast(to: string, type: MessageType, ciaddr: string): Promise<Reply[]>;
}

/** Two whole boot servers and a NIC on one link; both pools are halves of 10.0.0.0/24. */
async function rack(change: Partial<SubnetConfig> = {}): Promise<Rack> {
  const clock = new MockClock();
  const network = new MockNetwork({ clock, entropy: mockEntropy(7) });
  const start = async (address: string, pool: string, seed: number): Promise<BootServer> => {
    const dataDir = join(temporaryFolder(), 'data');
    const base = testConfig(dataDir);
    const stopping = new AbortController();
    const server = await startBootServer({
      config: {
        ...base,
        advertiseAddress: address,
        dhcp: { ...base.dhcp, listen: [address], subnets: [subnetConfig('10.0.0', { pool, ...change })] },
        http: httpConfig({ url: `http://${address}:8080` }),
      },
      network: network.host(`server ${address}`, `${address}/24`),
      clock,
      entropy: mockEntropy(seed),
      log: new MemoryLogger(),
      metrics: createMetrics(),
      health: createHealth({ clock }),
      redactor: new Redactor(),
      api: new FakeApi(),
      libc: undefined,
      signal: stopping.signal,
      reload: () => Promise.resolve({ ok: false, reason: 'not here' }),
    });
    onTestFinished(async () => {
      stopping.abort();
      await server.stop();
    });
    return server;
  };
  const servers = {
    [A]: await start(A, '10.0.0.100-10.0.0.149', 3),
    [B]: await start(B, '10.0.0.150-10.0.0.199', 4),
  };
  const nic = network.host('client', '10.0.0.100/24', '10.0.0.7/24');
  const heard: Reply[] = [];
  const socket: UdpSocket = await nic.bindUdp({ address: '0.0.0.0', port: 68, broadcast: true });
  socket.onDatagram(({ data }) => heard.push(readReply(data)));
  const send = async (data: Uint8Array, address: string): Promise<Reply[]> => {
    heard.length = 0;
    await socket.send(data, { address, port: 67 });
    await clock.advance(0);
    return [...heard];
  };
  return {
    clock,
    servers,
    broadcast: (type, options = [], ciaddr = '0.0.0.0') =>
      send(message(type, { ...client, ciaddr: ip(ciaddr) }, options), '255.255.255.255'),
    unicast: (to, type, ciaddr) => send(message(type, { ...client, ciaddr: ip(ciaddr) }), to),
  };
}

async function leaseFrom(at: Rack, server: string): Promise<Reply> {
  const offers = await at.broadcast(DISCOVER);
  const offer = offers.find((each) => serverOf(each) === server);
  const acks = offer === undefined ? [] : await at.broadcast(REQUEST, selecting(offer));
  expect(acks.map((ack) => [typeOf(ack), serverOf(ack)])).toEqual([[ACK, server]]);
  const [ack] = acks;
  if (ack === undefined) throw new Error('no lease');
  return ack;
}

describe('two boot servers on one link, one of which dies', () => {
  it('both offer, and only the one that the client chose acknowledges', async () => {
    const at = await rack();
    const offers = await at.broadcast(DISCOVER);
    const made = offers.map((offer) => `${typeOf(offer)} ${serverOf(offer)} ${offer.packet.yiaddr}`);
    expect(new Set(made)).toEqual(new Set([`${OFFER} ${A} 10.0.0.100`, `${OFFER} ${B} 10.0.0.150`]));
    expect((await leaseFrom(at, B)).packet.yiaddr).toMatch(/^10\.0\.0\.15[01]$/);
  });

  it('between OFFER and REQUEST: the REQUEST is not answered, and the client starts over and gets its lease from the other', async () => {
    const at = await rack();
    const offers = await at.broadcast(DISCOVER);
    const chosen = offers.find((offer) => serverOf(offer) === A);
    expect(chosen).toBeDefined();
    await at.servers[A].stop();
    for (const pause of [4_000, 8_000]) {
      expect(await at.broadcast(REQUEST, chosen && selecting(chosen))).toEqual([]);
      await at.clock.advance(pause);
    }
    expect((await leaseFrom(at, B)).packet.yiaddr).toMatch(/^10\.0\.0\.15[01]$/);
  });

  it('a client with a shared reservation renews in vain, and rebinds with the other at the same address', async () => {
    const at = await rack({ reservations: [{ mac: MAC_1, address: '10.0.0.7' }] });
    expect((await leaseFrom(at, A)).packet.yiaddr).toBe('10.0.0.7');
    await at.servers[A].stop();
    // T1, then T2 of 600 s.
    await at.clock.advance(300_000);
    expect(await at.unicast(A, REQUEST, '10.0.0.7')).toEqual([]);
    await at.clock.advance(225_000);
    const rebound = await at.broadcast(REQUEST, [], '10.0.0.7');
    expect(rebound.map((ack) => [typeOf(ack), serverOf(ack), ack.packet.yiaddr])).toEqual([[ACK, B, '10.0.0.7']]);
    // From now on it renews there.
    await at.clock.advance(300_000);
    expect((await at.unicast(B, REQUEST, '10.0.0.7')).map(typeOf)).toEqual([ACK]);
  });

  it('with split pools the other says nothing to who rebinds, not even a NAK, and leases anew when it starts over', async () => {
    const at = await rack();
    expect((await leaseFrom(at, A)).packet.yiaddr).toBe('10.0.0.100');
    await at.servers[A].stop();
    await at.clock.advance(525_000);
    expect(await at.broadcast(REQUEST, [], '10.0.0.100')).toEqual([]);
    // A reboot meanwhile: INIT-REBOOT.
    expect(await at.broadcast(REQUEST, [addressOption(50, ip('10.0.0.100'))])).toEqual([]);
    await at.clock.advance(75_000);
    expect((await leaseFrom(at, B)).packet.yiaddr).toMatch(/^10\.0\.0\.15[01]$/);
  });
});
