import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MessageType } from '@ingot/wire';
import { createBench, dhcp, ip, linkSettings, type RelayBench } from './kit.ts';

let bench: RelayBench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

function asked(): Promise<number> {
  return bench.settle().then(() => bench.servers[0].received.length);
}

describe('links come and go', () => {
  test('what is no longer wanted is closed, and what stays is not touched', async () => {
    await bench.apply(linkSettings(), linkSettings({ name: 'Vlan4001' }));
    const [first, second] = [bench.link('Vlan4000'), bench.link('Vlan4001')];
    await bench.apply(linkSettings());
    expect([first.isClosed(), second.isClosed()]).toEqual([false, true]);
    await bench.apply(linkSettings(), linkSettings({ name: 'Vlan4001' }));
    expect(bench.link('Vlan4001')).not.toBe(second);
    expect(bench.link('Vlan4000')).toBe(first);
    // Its socket's address is free again for others.
    await bench.apply(linkSettings());
    await using socket = await bench.leaf.bindUdp({ address: '10.0.2.1', port: 67 });
    expect(socket.address.port).toBe(67);
  });

  test('other servers and another mode count from the next packet on, in the same socket', async () => {
    await bench.apply(linkSettings());
    const link = bench.link();
    await bench.apply(linkSettings({ servers: [ip('10.0.0.2')] }));
    expect(bench.link()).toBe(link);
    link.request(dhcp(MessageType.DISCOVER));
    await bench.settle();
    expect(bench.servers.map(({ received }) => received.length)).toEqual([0, 1]);
  });

  test('an interface that was made anew is opened anew', async () => {
    await bench.apply(linkSettings());
    const before = bench.link();
    const kernel = bench.interfaces.get('Vlan4000');
    if (kernel === undefined) throw new Error('no Vlan4000');
    bench.interfaces.set('Vlan4000', { ...kernel, index: 20 });
    bench.addresses.push({ interfaceIndex: 20, address: '10.0.1.1', prefixLength: 24, isSecondary: false });
    expect(await bench.apply(linkSettings())).toEqual(new Map());
    expect(before.isClosed()).toBe(true);
    bench.link().request(dhcp(MessageType.DISCOVER));
    expect(await asked()).toBe(1);
  });

  test('one that cannot be served says why, is tried again, and keeps no other from being served', async () => {
    const both = [linkSettings(), linkSettings({ name: 'Vlan4001' })];
    bench.interfaces.delete('Vlan4001');
    expect(await bench.apply(...both)).toEqual(new Map([['Vlan4001', 'there is no interface Vlan4001']]));
    bench.interfaces.set('Vlan4001', { ...bench.interfaces.get('Vlan4000')!, index: 21 });
    expect(await bench.apply(...both)).toEqual(new Map([['Vlan4001', 'Vlan4001 has no IPv4 address']]));
    bench.addresses.push({ interfaceIndex: 21, address: '10.0.2.1', prefixLength: 24, isSecondary: false });
    expect(await bench.apply(...both)).toEqual(new Map());
    expect(await bench.metric('ingot_switch_relay_links')).toEqual({ served: 2, failed: 0 });
  });

  test.each([
    [{ servers: [] }, 'Vlan4000 has no DHCP server'],
    [{ sourceInterface: 'Loopback9' }, 'there is no interface Loopback9 to send from'],
    [{ serverVrf: 'Vrf1' }, /another VRF than its servers: set a source interface/],
  ])('%j is refused in words', async (settings, reason) => {
    const failed = await bench.apply(linkSettings(settings));
    expect(failed.get('Vlan4000')).toMatch(reason);
  });

  test('another program on port 67 is named as the reason, and waited for', async () => {
    const other = await bench.leaf.bindUdp({ address: '10.0.1.1', port: 67 });
    expect((await bench.apply(linkSettings())).get('Vlan4000')).toMatch(/another socket/);
    await other.close();
    expect(await bench.apply(linkSettings())).toEqual(new Map());
    bench.link().request(dhcp(MessageType.DISCOVER));
    expect(await asked()).toBe(1);
  });

  test('all goes on where the kernel cannot list its addresses at the moment', async () => {
    await bench.apply(linkSettings());
    bench.addresses.length = 0;
    expect(await bench.apply(linkSettings())).toEqual(new Map());
    expect(bench.link().isClosed()).toBe(false);
  });

  test('the first address of a link is the one that the kernel has first, not a secondary one', async () => {
    bench.addresses.unshift({ interfaceIndex: 10, address: '10.0.2.1', prefixLength: 24, isSecondary: true });
    await bench.apply(linkSettings());
    expect(bench.log.events('relay.link')[0]?.fields).toMatchObject({ giaddr: '10.0.1.1' });
  });
});

test('sockets of servers in a VRF are bound to its device', async () => {
  // The mock network's interfaces have the names of their links.
  await bench.apply(linkSettings({ serverVrf: '10.255.0.1/32', sourceInterface: 'Loopback0', linkSelection: true }));
  await expect(bench.leaf.bindUdp({ address: '10.255.0.1', port: 67, interface: '10.255.0.1/32' })).rejects.toThrow(
    /another socket/,
  );
  await using elsewhere = await bench.leaf.bindUdp({ address: '10.255.0.1', port: 67, interface: '10.0.0.0/24' });
  expect(elsewhere.address.port).toBe(67);
});
