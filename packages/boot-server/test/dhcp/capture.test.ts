import { expect, it, onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { loadLibc, MockClock, nodeNetwork, packSocketAddress, udpPacket, type Datagram } from '@ingot/net';
import { dhcpSchema } from '../../src/config/dhcp.ts';
import { startCapture, type CaptureSockets } from '../../src/dhcp/capture.ts';
import { chooseFrames } from '../../src/dhcp/client-link.ts';
import { bootMetrics } from '../../src/metrics.ts';

const LIBC = await loadLibc();
const AF_INET = 2;
const SOCK_DGRAM = 2;
const CLIENT = { address: '10.0.0.5', port: 68 };

it.skipIf(LIBC === undefined)(
  'the thread that hears DHCP starts again a second after it died, and says so',
  async () => {
    if (LIBC === undefined) throw new Error('no libc');
    const libc = LIBC;
    const clock = new MockClock();
    const log = new MemoryLogger();
    // A socket of UDP in place of one of packets: what a datagram holds is taken for an IP packet.
    const fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
    const own = packSocketAddress({ address: '127.0.0.1', port: 0 });
    expect(libc.bind(fd, own)).toBe(0);
    libc.getsockname(fd, own);
    const port = ((own[2] ?? 0) << 8) | (own[3] ?? 0);
    // No descriptor, at first: what polls it dies.
    const link = { name: 'eth0', interfaceIndex: 1, fd: 1_000_000 };
    const sent = { send: () => true, close: () => undefined };
    const sockets: CaptureSockets = { links: [link], frames: sent, raw: sent, close: () => undefined };
    const heard: [number, Datagram][] = [];
    const capture = startCapture({
      clock,
      log,
      metrics: bootMetrics(createMetrics()),
      sockets,
      addresses: new Set(['10.0.0.1']),
      onDatagrams: (index, datagrams) => heard.push(...datagrams.map((each): [number, Datagram] => [index, each])),
    });
    await using speaker = await nodeNetwork().bindUdp({ address: '127.0.0.1', port: 0 });
    onTestFinished(async () => {
      await capture.stop();
      libc.close(fd);
    });
    const deaths = (): number => log.events('dhcp.capture-failed').length;
    await expect.poll(deaths, { timeout: 10_000 }).toBe(1);
    await clock.advance(999);
    link.fd = fd;
    expect(deaths()).toBe(1);
    await clock.advance(1);
    for (const target of ['10.0.0.1', '255.255.255.255', '10.0.0.99'])
      await speaker.send(udpPacket(CLIENT, { address: target, port: 67 }, new TextEncoder().encode(target)), {
        address: '127.0.0.1',
        port,
      });
    await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(2);
    expect(heard.map(([index, { data, source }]) => [index, new TextDecoder().decode(data), source])).toEqual([
      [0, '10.0.0.1', CLIENT],
      [0, '255.255.255.255', CLIENT],
    ]);
    expect(deaths()).toBe(1);
  },
);

it('dhcp.unicast: never opens no socket for frames, whatever the host allows', () => {
  const log = new MemoryLogger();
  const config = dhcpSchema.parse({ unicast: 'never', subnets: [{ subnet: '10.0.0.0/24' }] });
  const libc = LIBC && {
    ...LIBC,
    socket: (): never => {
      throw new Error('a socket is opened');
    },
  };
  expect(chooseFrames({ config, libc, log })).toBeUndefined();
  expect(log.records).toEqual([]);
});
