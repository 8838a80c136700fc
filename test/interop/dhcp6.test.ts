import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, type BootNetwork, type Namespace } from './boot-server-network.ts';

/** Prints what dhclient would set, and sets the address. */
const DHCLIENT_SCRIPT = `#!/bin/sh
case "$reason" in
BOUND6|REBIND6|RENEW6)
  ip -6 addr replace "$new_ip6_address/$new_ip6_prefixlen" dev "$interface" nodad
  echo "LEASE $reason $new_ip6_address dns=$new_dhcp6_name_servers search=$new_dhcp6_domain_search valid=$new_max_life url=$new_dhcp6_bootfile_url" ;;
RELEASE6|STOP6) echo "ENDED $reason $old_ip6_address" ;;
*) [ -z "$new_dhcp6_name_servers" ] || echo "TOLD $reason dns=$new_dhcp6_name_servers" ;;
esac
`;

/** A boot client: with the architectures of UEFI PXE and HTTP, and UEFI's vendor class. */
const BOOT_CONF = `option dhcp6.vendor-class-raw code 16 = string;
option dhcp6.client-arch code 61 = string;
option dhcp6.bootfile-url code 59 = text;
send dhcp6.vendor-class-raw 00:00:01:57:00:20:48:54:54:50:43:6c:69:65:6e:74:3a:41:72:63:68:3a:30:30:30:31:36:3a:55:4e:44:49:3a:30:30:33:30:30:30;
send dhcp6.client-arch 00:10;
also request dhcp6.bootfile-url;
`;

const DHCP6 = {
  listen: ['2001:db8::1'],
  subnets: [
    {
      subnet: '2001:db8::/64',
      interface: 'br0',
      pool: '2001:db8::1:0-2001:db8::1:ffff',
      dnsServers: ['2001:db8::53'],
      domains: ['rack.example'],
    },
    { subnet: '2001:db8:1::/64', pool: '2001:db8:1::1000-2001:db8:1::1fff', dnsServers: ['2001:db8::53'] },
    { subnet: '2001:db8:2::/64', mode: 'stateless' },
  ],
};
const IPV6 = { dhcp6: DHCP6, http: { listen: ['10.0.0.1:8080', '[::]:8081'] } };

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
  const ip = async (namespace: Namespace, words: string): Promise<void> => {
    const { exitCode, output } = await net.run(namespace, ['ip', ...words.split(' ')]);
    if (exitCode !== 0) throw new Error(`${words}: ${output}`);
  };
  await ip('server', '-6 addr add 2001:db8::1/64 dev br0 nodad');
  await ip('server', '-6 route add 2001:db8:1::/64 via 2001:db8::11');
  await ip('leaf', '-6 addr add 2001:db8::11/64 dev eth0 nodad');
  await ip('leaf', '-6 addr add 2001:db8:1::1/64 dev Vlan4000 nodad');
  await ip('near', '-6 addr add 2001:db8::77/64 dev eth0 nodad');
  await net.run('leaf', ['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1']);
  // Duplicate address detection ends after a second; until then nothing can be sent from a link-local address.
  const links: readonly (readonly [Namespace, string])[] = [
    ['server', 'br0'],
    ['near', 'eth0'],
    ['leaf', 'eth0'],
    ['leaf', 'Vlan4000'],
    ['far', 'eth0'],
  ];
  for (const [namespace, link] of links) {
    await expect
      .poll(async () => (await net.run(namespace, ['ip', '-6', 'addr', 'show', 'dev', link])).output, {
        timeout: 20_000,
      })
      .toMatch(/fe80(?!.*tentative)/);
  }
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

function dhclientWords(namespace: Namespace, ...more: string[]): string[] {
  const script = net.file('dhclient6.sh', DHCLIENT_SCRIPT);
  const files = [
    '-sf',
    script,
    '-lf',
    join(net.folder, `${namespace}.leases6`),
    '-pf',
    join(net.folder, `${namespace}.pid`),
  ];
  return ['dhclient', '-6', '-v', ...files, ...more, 'eth0'];
}

/** Runs dhclient in the foreground until it has what it wants, and tells what that was; the address stays. */
async function dhclient(namespace: Namespace, ...more: string[]): Promise<string> {
  const client = net.start(namespace, dhclientWords(namespace, '-d', ...more));
  await client.prints(/^(?:LEASE|TOLD) .*\n/m);
  await client.kill('SIGTERM');
  return client.output();
}

async function relay(): Promise<void> {
  const started = net.start('leaf', [
    'dhcrelay',
    '-6',
    '-d',
    '--no-pid',
    '-I',
    '-l',
    'Vlan4000',
    '-u',
    '2001:db8::1%eth0',
  ]);
  await started.prints(/Sending on/);
}

const leased = (output: string): string => /^LEASE \w+ (\S+)/m.exec(output)?.[1] ?? output;

describe('dnsmasq’s dhcp_release6', () => {
  it('on the server’s host ends a lease', async () => {
    const one = { subnet: '2001:db8::/64', interface: 'br0', pool: '2001:db8::1:5-2001:db8::1:5' };
    const server = await net.bootServer({ ...IPV6, dhcp6: { ...DHCP6, subnets: [one] } });
    expect(leased(await dhclient('near'))).toBe('2001:db8::1:5');

    const file = readFileSync(join(net.folder, 'near.leases6'), 'utf8');
    const of = (pattern: RegExp): string => pattern.exec(file)?.[1] ?? '';
    const duids = ['--client-id', of(/6\.client-id ([0-9a-f:]+);/), '--server-id', of(/6\.server-id ([0-9a-f:]+);/)];
    // The last four bytes of the MAC, which dhclient's file has as text where they are printable.
    const iaid = String(Number.parseInt((await net.macOf('near')).replaceAll(':', '').slice(4), 16));
    await net.run('server', ['dhcp_release6', '--iface', 'br0', '--ip', '2001:db8::1:5', ...duids, '--iaid', iaid]);
    await server.prints(/"event":"dhcp6\.released","addresses":\["2001:db8::1:5"\]/);

    using database = new DatabaseSync(join(net.folder, 'data/boot-server.sqlite'), { readOnly: true });
    expect(database.prepare('SELECT address, state FROM lease6').all()).toEqual([
      { address: '2001:db8::1:5', state: 'released' },
    ]);
  });
});

describe('dhclient -6', () => {
  it('on the own link leases an address, name servers and a search domain, and releases it', async () => {
    const server = await net.bootServer(IPV6);
    const output = await dhclient('near');
    expect(output).toMatch(/LEASE BOUND6 2001:db8::1:[0-9a-f]+ dns=2001:db8::53 search=rack\.example\.? valid=3600/);
    const released = await net.run('near', dhclientWords('near', '-r'));
    expect(released.output).toContain('RELEASE6');
    await server.prints(/"event":"dhcp6.released"/);
  });

  it('through dhcrelay -6 leases an address of the relay’s link, and reaches the server with it', async () => {
    await net.bootServer(IPV6);
    await relay();
    const output = await dhclient('far');
    expect(leased(output)).toMatch(/^2001:db8:1::1[0-9a-f]{3}$/);
    // What the router would announce.
    await net.run('far', ['ip', '-6', 'route', 'add', '2001:db8:1::/64', 'dev', 'eth0']);
    await net.run('far', ['ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:1::1']);
    const loaded = await net.run('far', [
      'curl',
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{size_download}',
      'http://[2001:db8::1]:8081/boot/snponly.efi',
    ]);
    expect(loaded.output).toMatch(/^200 \d{6}/);
    const tftp = await net.run('far', [
      'curl',
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}',
      'tftp://[2001:db8::1]/snponly.efi',
    ]);
    expect(tftp.output).toBe(loaded.output.split(' ')[1]);
  });

  it('as an HTTP boot client is given its URL, with the NIC in it', async () => {
    await net.bootServer(IPV6);
    const config = net.file('boot.conf', BOOT_CONF);
    const mac = (await net.macOf('near')).replaceAll(':', '-');
    expect(await dhclient('near', '-cf', config)).toContain(`url=http://[2001:db8::1]:8081/boot/${mac}/snponly.efi`);
  });

  it('keeps its address over kill -9 of the server', async () => {
    const server = await net.bootServer(IPV6);
    const first = leased(await dhclient('near'));
    await server.kill('SIGKILL');
    await net.bootServer(IPV6);
    // With its lease file it begins with CONFIRM or REBIND.
    const output = await dhclient('near');
    expect(leased(output)).toBe(first);
    expect(output).toMatch(/XMT: (?:Confirm|Rebind)/);
  });

  it('-S in a stateless network is told its name servers', async () => {
    await net.bootServer({
      ...IPV6,
      dhcp6: {
        ...DHCP6,
        subnets: [{ subnet: '2001:db8::/64', interface: 'br0', mode: 'stateless', dnsServers: ['2001:db8::53'] }],
      },
    });
    expect(await dhclient('near', '-S')).toContain('dns=2001:db8::53');
  });
});

it('perfdhcp -6 leases 200 addresses at 100 a second, none of them twice, and loses none', async () => {
  await net.bootServer(IPV6);
  // It waits for late answers: this machine may be busy with other tests.
  const patience = ['-W', '8000000', '-d', '10'];
  const command = ['perfdhcp', '-6', '-l', 'eth0', '-r', '100', '-n', '200', '-R', '200', ...patience];
  const { output } = await net.run('near', command);
  const numbers = (name: string): number[] =>
    [...output.matchAll(new RegExp(`^${name}: (\\d+)$`, 'gm'))].map((match) => Number(match[1]));
  expect(numbers('sent packets'), output).toEqual([200, 200]);
  expect(numbers('received packets'), output).toEqual([200, 200]);
  expect(numbers('non unique addresses'), output).toEqual([0, 0]);
});
