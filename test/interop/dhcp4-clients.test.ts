import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork, type Running } from './boot-server-network.ts';

// The whole life of a lease, as other people's clients live it.

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

function serving(leaseSeconds: number, unicast: 'auto' | 'never' = 'auto'): Promise<Running> {
  return net.bootServer({
    dhcp: {
      listen: ['10.0.0.1'],
      unicast,
      subnets: [{ subnet: '10.0.0.0/24', pool: '10.0.0.20-10.0.0.250', leaseSeconds }],
    },
  });
}

/** dhclient with files of its own, and a script that sets the address: it renews from there. */
function dhclient(...words: readonly string[]): readonly string[] {
  const script = net.file(
    'dhclient.sh',
    '#!/bin/sh\ncase "$reason" in BOUND|REBOOT|RENEW|REBIND) ip addr replace "$new_ip_address/24" dev "$interface";; esac\necho "REASON $reason $new_ip_address"\n',
  );
  const files = ['-lf', join(net.folder, 'dhclient.leases'), '-pf', join(net.folder, 'dhclient.pid')];
  return ['dhclient', '-4', '-v', '-sf', script, ...files, ...words, 'eth0'];
}

describe('ISC dhclient', () => {
  it(
    'leases, renews by unicast at half of the time, comes back after a reboot with the same address, and releases it',
    { timeout: 180_000 },
    async () => {
      const server = await serving(60);
      const first = net.start('near', dhclient('-d'));
      await first.prints(/bound to 10\.0\.0\.20 /);
      // T1 is after 30 s.
      await first.prints(
        /DHCPREQUEST for 10\.0\.0\.20 on eth0 to 10\.0\.0\.1 port 67[^]*DHCPACK[^]*REASON RENEW 10\.0\.0\.20/,
        90_000,
      );
      // It is killed, not stopped: the lease is in its file, and INIT-REBOOT follows.
      await first.kill('SIGKILL');
      await net.run('near', ['ip', 'addr', 'flush', 'dev', 'eth0']);
      const again = net.start('near', dhclient('-d'));
      await again.prints(/DHCPACK of 10\.0\.0\.20 from 10\.0\.0\.1/);
      expect(again.output()).not.toContain('DHCPDISCOVER');
      await again.prints(/bound to 10\.0\.0\.20 /);
      await again.kill('SIGKILL');
      const released = await net.run('near', dhclient('-r'));
      expect(released.output).toContain('DHCPRELEASE of 10.0.0.20 on eth0 to 10.0.0.1 port 67');
      await server.prints(/"event":"dhcp\.released"/);
      expect(readFileSync(join(net.folder, 'dhclient.leases'), 'utf8')).toContain('fixed-address 10.0.0.20;');
    },
  );

  it('that comes back with an address of another network is told so, and gets one of this', async () => {
    await serving(600);
    net.file(
      'dhclient.leases',
      'lease { interface "eth0"; fixed-address 192.168.9.9; option subnet-mask 255.255.255.0; option dhcp-lease-time 600; option dhcp-message-type 5; option dhcp-server-identifier 192.168.9.1; renew 0 2037/12/31 00:00:00; rebind 0 2037/12/31 00:00:00; expire 0 2037/12/31 00:00:00; }\n',
    );
    const client = net.start('near', dhclient('-d'));
    await client.prints(/DHCPREQUEST for 192\.168\.9\.9[^]*DHCPNAK from 10\.0\.0\.1[^]*bound to 10\.0\.0\.20 /);
    await client.kill('SIGKILL');
  });
});

describe('busybox udhcpc', () => {
  it('leases, renews and releases', async () => {
    const server = await serving(60);
    const script = net.file(
      'udhcpc.sh',
      '#!/bin/sh\ncase "$1" in bound|renew) ip addr replace "$ip/24" dev "$interface"; echo "$1 $ip $lease";; esac\n',
    );
    const client = net.start('near', [
      'busybox',
      'udhcpc',
      '-f',
      '-i',
      'eth0',
      '-R',
      '-s',
      script,
      '-t',
      '5',
      '-T',
      '2',
    ]);
    await client.prints(/bound 10\.0\.0\.20 60/);
    // "Renew now".
    client.process.kill('SIGUSR1');
    await client.prints(/renew 10\.0\.0\.20 60/);
    // "-R": it releases when it is stopped.
    await client.kill('SIGTERM');
    await server.prints(/"event":"dhcp\.released"/);
  });
});

describe('ip=dhcp of Debian’s initramfs', () => {
  it('has its address, and all that it sets besides', async () => {
    const mac = await net.macOf('near');
    const one = {
      subnet: '10.0.0.0/24',
      reservations: [{ mac, address: '10.0.0.42', hostName: 'm42' }],
      routers: ['10.0.0.254'],
      dnsServers: ['10.0.0.53'],
      domainName: 'rack.example',
      domainSearch: ['rack.example', 'example'],
      leaseSeconds: 600,
    };
    await net.bootServer({ dhcp: { listen: ['10.0.0.1'], subnets: [one] } });
    // It writes to /run, which is the host's.
    const script =
      'mount -t tmpfs none /run && /usr/lib/klibc/bin/ipconfig -t 20 -c dhcp -d eth0; cat /run/net-eth0.conf';
    const { output } = await net.run('near', ['unshare', '--mount', 'sh', '-c', script]);
    const said = Object.fromEntries([...output.matchAll(/^(\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]));
    expect(said, output).toMatchObject({
      PROTO: 'dhcp',
      IPV4ADDR: '10.0.0.42',
      IPV4NETMASK: '255.255.255.0',
      IPV4BROADCAST: '10.0.0.255',
      IPV4GATEWAY: '10.0.0.254',
      IPV4DNS0: '10.0.0.53',
      HOSTNAME: 'm42',
      DNSDOMAIN: 'rack.example',
      DOMAINSEARCH: 'rack.example. example.',
      ROOTSERVER: '10.0.0.1',
      DHCPLEASETIME: '600',
      // Nothing to boot: it did not ask for that.
      filename: '',
    });
  });
});

describe('npm’s dhcp client', () => {
  it('is bound to the address that it was offered', async () => {
    // It asks for no broadcast, and hears nothing else: an ordinary socket has no address yet.
    await serving(600, 'never');
    const script = net.file(
      'npm-dhcp.cjs',
      `const dhcp = require(${JSON.stringify(join(import.meta.dirname, '../node_modules/dhcp'))});
const client = dhcp.createClient({ mac: '52-54-00-00-0b-0b' });
client.on('bound', (state) => { console.log('BOUND', state.address, state.leaseTime); process.exit(0); });
client.on('error', (error) => { console.log(String(error)); });
// Its first REQUEST has neither option 50 nor 54, a fault of its own; after the second DISCOVER it knows an address.
let offers = 0;
client.on('message', ({ options }) => { if (options[53] === 2 && ++offers === 1) setTimeout(() => client.sendDiscover(), 100); });
client.on('listening', () => client.sendDiscover());
client.listen();
setTimeout(() => process.exit(1), 60_000);
`,
    );
    // It sends by the ordinary stack, which wants an address and a route for a broadcast.
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.12/24', 'dev', 'eth0']);
    await net.run('near', ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
    const { output } = await net.run('near', [process.execPath, script]);
    expect(output).toMatch(/BOUND 10\.0\.0\.20/);
  });
});

describe('perfdhcp -4', () => {
  it('leases 200 addresses at 100 a second as a relay, none of them twice, and loses none', async () => {
    await serving(600);
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.12/24', 'dev', 'eth0']);
    // It waits for late answers: this machine may be busy with other tests.
    const patience = ['-W', '8000000', '-d', '10'];
    const command = ['perfdhcp', '-4', '-l', 'eth0', '-r', '100', '-n', '200', '-R', '200', ...patience, '10.0.0.1'];
    const { output } = await net.run('near', command);
    const numbers = (name: string): number[] =>
      [...output.matchAll(new RegExp(`^${name}: (\\d+)$`, 'gm'))].map((match) => Number(match[1]));
    expect(numbers('sent packets'), output).toEqual([200, 200]);
    expect(numbers('received packets'), output).toEqual([200, 200]);
    expect(numbers('non unique addresses'), output).toEqual([0, 0]);
  });
});

describe('dnsmasq’s tools on the server’s host', () => {
  it('ask how long a lease runs, and end it: the next machine gets the only address', async () => {
    const subnets = [{ subnet: '10.0.0.0/24', pool: '10.0.0.20-10.0.0.20', leaseSeconds: 7_500 }];
    // dhcp_lease_time asks 127.0.0.1, and nobody else.
    const server = await net.bootServer({ dhcp: { listen: ['10.0.0.1', '127.0.0.1'], subnets } });
    const script = net.file('udhcpc.sh', '#!/bin/sh\necho "$1 $ip $lease"\n');
    const lease = async (...more: readonly string[]): Promise<string> =>
      (await net.run('near', [...UDHCPC, '-s', script, ...more])).output;
    expect(await lease()).toMatch(/^bound 10\.0\.0\.20 7500$/m);

    const left = await net.run('server', ['dhcp_lease_time', '10.0.0.20']);
    // 7500 s are two hours and five minutes; the host may be slow, but not by five.
    expect(left).toEqual({ exitCode: 0, output: expect.stringMatching(/^2h(?:5m(?:0s)?|[0-4]m\d+s)?$/) });

    const first = await net.macOf('near');
    await net.run('near', ['ip', 'link', 'set', 'eth0', 'address', '52:54:00:00:0c:0c']);
    // One try: there is nothing to come.
    expect(await lease('-t', '1', '-T', '1')).not.toContain('bound');
    await net.run('server', ['dhcp_release', 'br0', '10.0.0.20', first]);
    await server.prints(/"event":"dhcp\.released"/);
    expect(await net.run('server', ['dhcp_lease_time', '10.0.0.20'])).toEqual({ exitCode: 1, output: '' });
    expect(await lease()).toMatch(/^bound 10\.0\.0\.20 7500$/m);
  });
});
