import { describe, expect, it } from 'vitest';
import { MockClock, type EchoSocket } from '@ingot/net';
import { ipv4ToNumber } from '@ingot/wire';
import { networkProbe } from '../../src/dhcp/network-probe.ts';
import type { ProbeResult } from '../../src/dhcp/address-probe.ts';
import { ip } from '../support/dhcp-messages.ts';

const ADDRESS = '10.0.0.100';
const HEAD = 'IP address       HW type     Flags       HW address            Mask     Device';
const entry = (address: string, flags: string, mac: string): string =>
  `${address}       0x1         ${flags}         ${mac}     *        eth0`;
const COMPLETE = '0x2';
const INCOMPLETE = '0x0';

/** A network whose ARP table and echoes the test makes up. */
function lab(options: { echo?: false; onLink?: boolean; table?: string[] } = {}) {
  const clock = new MockClock();
  const table = options.table ?? [];
  const asked: string[] = [];
  const answers: string[] = [];
  const echo: EchoSocket = {
    send: (address) => asked.push(`echo ${address}`) > 0,
    receive: () => answers.splice(0),
    close: () => undefined,
  };
  const probe = networkProbe({
    clock,
    echo: options.echo === false ? undefined : echo,
    udp: {
      send: (_data, { address, port }) => {
        asked.push(`udp ${address}:${port}`);
        return Promise.resolve();
      },
    },
    timeoutMs: 300,
    arpTable: () => [HEAD, ...table].join('\n'),
    isOnLink: () => options.onLink ?? true,
  });
  const results: ProbeResult[] = [];
  const ask = async (): Promise<void> => {
    results.push(await probe.probe(ipv4ToNumber(ip(ADDRESS))));
  };
  return { clock, table, asked, answers, probe, results, ask };
}

describe('asking the network for an address', () => {
  it('an echo says that it is in use, at once', async () => {
    const net = lab();
    const done = net.ask();
    net.answers.push('10.0.0.99', ADDRESS);
    await net.clock.advance(20);
    await done;
    expect(net.results).toEqual(['in-use']);
    expect(net.asked).toEqual([`echo ${ADDRESS}`]);
  });

  it('an answer by ARP says so too, of a host that hides from echoes', async () => {
    const net = lab({ table: [entry(ADDRESS, INCOMPLETE, '00:00:00:00:00:00')] });
    const done = net.ask();
    net.table[0] = entry(ADDRESS, COMPLETE, '52:54:00:00:00:09');
    await net.clock.advance(20);
    await done;
    expect(net.results).toEqual(['in-use']);
  });

  it('silence for the whole time says that it is free', async () => {
    const net = lab();
    const done = net.ask();
    await net.clock.advance(280);
    expect(net.results).toEqual([]);
    await net.clock.advance(20);
    await done;
    expect(net.results).toEqual(['free']);
  });

  it('an entry of the table from before proves nothing', async () => {
    const net = lab({ table: [entry(ADDRESS, COMPLETE, '52:54:00:00:00:09')] });
    const done = net.ask();
    await net.clock.advance(300);
    await done;
    expect(net.results).toEqual(['free']);
  });

  it('a router that answers ARP for everybody proves nothing', async () => {
    const router = '52:54:00:00:00:01';
    const net = lab({ table: [entry('10.0.0.1', COMPLETE, router)] });
    const done = net.ask();
    net.table.push(entry(ADDRESS, COMPLETE, router));
    await net.clock.advance(300);
    await done;
    expect(net.results).toEqual(['free']);
  });

  it('an echo from before the question does not count', async () => {
    const net = lab();
    net.answers.push(ADDRESS);
    const done = net.ask();
    await net.clock.advance(300);
    await done;
    expect(net.results).toEqual(['free']);
  });

  it('without an echo socket a datagram makes the kernel ask on the own link', async () => {
    const net = lab({ echo: false });
    const done = net.ask();
    net.table.push(entry(ADDRESS, COMPLETE, '52:54:00:00:00:09'));
    await net.clock.advance(20);
    await done;
    expect(net.asked).toEqual([`udp ${ADDRESS}:9`]);
    expect(net.results).toEqual(['in-use']);
  });

  it('without an echo socket relayed networks cannot be asked, and nobody waits', async () => {
    const net = lab({ echo: false, onLink: false });
    await net.ask();
    expect(net.results).toEqual(['unknown']);
    expect(net.asked).toEqual([]);
  });

  it('a stop leaves nobody waiting, and no timer', async () => {
    const net = lab();
    const done = net.ask();
    net.probe.stop();
    await done;
    expect(net.results).toEqual(['unknown']);
    expect(net.clock.pendingTimers).toBe(0);
  });
});
