import { expect, it } from 'vitest';
import { MockClock, MockNetwork, type MockHost } from '@ingot/net';
import { bindPlaces, type ListenPlace } from '../../src/listen/listen-place.ts';

function host(): { server: MockHost; link: string } {
  const server = new MockNetwork({ clock: new MockClock() }).host('server', '10.0.0.1/24', '10.1.0.1/24');
  return { server, link: server.attachments[1]?.link ?? '' };
}
const places = (link: string): readonly ListenPlace[] => [
  { address: '10.0.0.1' },
  { address: '0.0.0.0', interface: link },
];

it('an address and an interface share the port between them', async () => {
  const { server, link } = host();
  const bound = await bindPlaces(server, places(link), { port: 69 });
  expect(bound.map(({ place }) => place)).toEqual(places(link));
});

it('a port is not shared with another program that would let us, and nothing stays bound', async () => {
  const { server, link } = host();
  const other = await server.bindUdp({ address: '10.1.0.1', port: 69, reuseAddress: true });
  await expect(bindPlaces(server, places(link), { port: 69 })).rejects.toMatchObject({ code: 'NET_ADDRESS_IN_USE' });
  await expect(bindPlaces(server, [{ address: '10.1.0.1' }], { port: 69, shares: true })).rejects.toThrow();
  await other.close();
  await bindPlaces(server, places(link), { port: 69, shares: true });
});

it('what was bound is given back where a later place cannot be had', async () => {
  const { server } = host();
  await expect(
    bindPlaces(server, [{ address: '10.0.0.1' }, { address: '10.9.0.9' }], { port: 69 }),
  ).rejects.toMatchObject({ code: 'NET_ADDRESS_NOT_AVAILABLE' });
  await bindPlaces(server, [{ address: '10.0.0.1' }], { port: 69 });
});
