import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { MessageType, OptionCode } from '@ingot/wire';
import { engine, type EngineLab } from './dhcp-engine-lab.ts';
import { CLIENTS, ip, MAC_1, message } from './harness.ts';

const LEASED = '10.0.1.100';
/** What `dhcp_lease_time` of dnsmasq 2.90 sends: an INFORM of hardware type 0, asking for option 51. */
function question(address: string, options = '350108370133ff'): Uint8Array {
  const packet = Buffer.alloc(548);
  packet[0] = 1;
  packet.set(address.split('.').map(Number), 12);
  packet.write(`63825363${options}`, 236, 'hex');
  return Uint8Array.from(packet);
}

/** With a lease of 600 s, of which 499.5 are left. */
async function leased(): Promise<EngineLab> {
  const lab = engine({});
  lab.receive(lab.discover(MAC_1), lab.request(MAC_1, LEASED));
  expect(lab.heard).toHaveLength(2);
  lab.heard.length = 0;
  await lab.clock.advance(100_500);
  return lab;
}

const time = ({ heard }: EngineLab): number | undefined => {
  const data = heard[0]?.options.get(OptionCode.LEASE_TIME);
  return data && Buffer.from(data).readUInt32BE();
};

describe('a program on the server’s host that asks how long a lease runs', () => {
  it('is told the whole seconds that are left', async () => {
    const lab = await leased();
    lab.receiveFromHost(question(LEASED), '127.0.0.1');
    expect(lab.heard).toHaveLength(1);
    expect(time(lab)).toBe(499);
    expect(lab.heard[0]?.packet).toMatchObject({ op: 2, htype: 0, hlen: 0, ciaddr: LEASED, yiaddr: '0.0.0.0' });
  });

  it('is told no time for an address that nobody has, or that was given back', async () => {
    const lab = await leased();
    lab.receiveFromHost(question('10.0.1.101'), '127.0.0.1');
    const release = message(
      MessageType.RELEASE,
      { mac: MAC_1, kind: CLIENTS.udhcpc, giaddr: ip('10.0.1.1'), ciaddr: ip(LEASED) },
      [{ code: OptionCode.SERVER_ID, data: Uint8Array.of(10, 0, 0, 1) }],
    );
    lab.receive(release);
    lab.receiveFromHost(question(LEASED), '127.0.0.1');
    expect(lab.heard.map(({ options }) => options.has(OptionCode.LEASE_TIME))).toEqual([false, false]);
  });

  it('hears nothing more of a lease that has run out', async () => {
    const lab = await leased();
    await lab.clock.advance(499_500);
    lab.receiveFromHost(question(LEASED), '127.0.0.1');
    expect(time(lab)).toBeUndefined();
    expect(lab.heard).toHaveLength(1);
  });

  it.each([
    ['from a host of the network', question(LEASED), '10.0.1.7'],
    ['without asking for the time', question(LEASED, '350108ff'), '127.0.0.1'],
    ['as a DISCOVER', question(LEASED, '350101370133ff'), '127.0.0.1'],
    ['cut short', question(LEASED).subarray(0, 239), '127.0.0.1'],
  ])('%s is not answered', async (_how, data, source) => {
    const lab = await leased();
    lab.receiveFromHost(data, source);
    expect(lab.heard).toEqual([]);
    expect((await lab.drops('not-ethernet')) + (await lab.drops('malformed'))).toBe(1);
  });
});
