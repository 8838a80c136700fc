import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork } from './boot-server-network.ts';

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

/** Hardware addresses that the replies to a client went to, by tcpdump, which also checks their checksums. */
async function repliesTo(client: readonly string[]): Promise<{ targets: string[]; dump: string }> {
  const words = 'tcpdump -i eth0 -e -n -l -vv udp and src port 67';
  const dump = net.start('near', words.split(' '));
  await dump.prints(/listening on/);
  const running = net.start('near', client);
  await running.prints(/(lease of|bound to) 10\.0\.0\.100\b/);
  await running.kill('SIGTERM');
  await dump.prints(/DHCP-Message[^\n]*ACK/);
  await dump.kill('SIGTERM');
  return {
    targets: [...dump.output().matchAll(/[0-9a-f:]{17} > ([0-9a-f:]{17}), ethertype IPv4/g)].map(([, to = '']) => to),
    dump: dump.output(),
  };
}

const CLIENT = [...UDHCPC, '-f', '-s', '/bin/true'];
const ALL = 'ff:ff:ff:ff:ff:ff';

describe('the replies to a client of the own link that has no address yet', () => {
  it('go to its hardware address alone, with right checksums', async () => {
    const server = await net.bootServer();
    expect(server.output()).toMatch(/"event":"dhcp.unicast","by":"frame"/);
    const mac = await net.macOf('near');
    const { targets, dump } = await repliesTo(CLIENT);
    expect(targets).toEqual([mac, mac]);
    expect(dump).toMatch(/10\.0\.0\.1\.67 > 10\.0\.0\.100\.68: \[udp sum ok\]/);
    expect(dump).not.toMatch(/bad (?:udp )?cksum/);
  });

  it('reach ISC dhclient', async () => {
    await net.bootServer();
    const client = `dhclient -4 -v -d -sf /bin/true -lf ${net.folder}/one.leases -pf ${net.folder}/one.pid eth0`;
    const { targets } = await repliesTo(client.split(' '));
    expect(new Set(targets)).toEqual(new Set([await net.macOf('near')]));
  });

  it('go to all when it asks for that, and without the right to send frames', async () => {
    const first = await net.bootServer();
    expect((await repliesTo([...CLIENT, '-B'])).targets).toEqual([ALL, ALL]);
    await first.kill('SIGTERM');
    const second = await net.bootServer({}, ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw']);
    expect(second.output()).toMatch(/"event":"dhcp.unicast","by":"broadcast"/);
    expect((await repliesTo(CLIENT)).targets).toEqual([ALL, ALL]);
  });
});
