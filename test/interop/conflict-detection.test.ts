import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork, type Namespace } from './boot-server-network.ts';

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

/** The address that a client is offered and takes. */
async function leaseOf(namespace: Namespace): Promise<string> {
  const { output } = await net.run(namespace, [...UDHCPC, '-f', '-s', '/bin/true']);
  return /lease of ([\d.]+) obtained/.exec(output)?.[1] ?? output;
}

async function inServer(setting: string, value: string): Promise<void> {
  await net.run('server', ['sh', '-c', `echo '${value}' > /proc/sys/net/ipv4/${setting}`]);
}

describe('an address of the pool that a host has, unknown to the server,', () => {
  it('is not offered on the own link, though the host answers no echo', async () => {
    await net.run('leaf', ['ip', 'addr', 'add', '10.0.0.100/24', 'dev', 'eth0']);
    await net.run('leaf', ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all']);
    const server = await net.bootServer();
    expect(await leaseOf('near')).toBe('10.0.0.101');
    await server.prints(/"event":"dhcp.conflict"[^\n]*"address":"10\.0\.0\.100"/);
  });

  it.each([
    ['a ping socket', '0 2147483647'],
    ['a raw socket', '1 0'],
  ])('is not offered behind a relay, by %s', async (_kind, groups) => {
    await inServer('ping_group_range', groups);
    await net.run('far', ['ip', 'addr', 'add', '10.0.1.100/24', 'dev', 'eth0']);
    await net.run('far', ['ip', 'route', 'add', 'default', 'via', '10.0.1.1']);
    const server = await net.bootServer();
    const relay = 'dhcrelay -4 -d --no-pid -a -m append -c 10 -id Vlan4000 -iu eth0 10.0.0.1';
    await net.start('leaf', relay.split(' ')).prints(/Sending on/);
    expect(await leaseOf('far')).toBe('10.0.1.101');
    await server.prints(/"event":"dhcp.conflict"[^\n]*"address":"10\.0\.1\.100"/);
  });

  it('is offered where the operator asks for no detection', async () => {
    await net.run('leaf', ['ip', 'addr', 'add', '10.0.0.100/24', 'dev', 'eth0']);
    await net.bootServer({
      dhcp: {
        listen: ['10.0.0.1'],
        conflictDetectionMs: 0,
        subnets: [{ subnet: '10.0.0.0/24', pool: '10.0.0.100-10.0.0.199' }],
      },
    });
    expect(await leaseOf('near')).toBe('10.0.0.100');
  });

  it('without the right to send echoes is found on the own link all the same', async () => {
    await inServer('ping_group_range', '1 0');
    await net.run('leaf', ['ip', 'addr', 'add', '10.0.0.100/24', 'dev', 'eth0']);
    const server = await net.bootServer({}, ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw']);
    expect(server.output()).toMatch(/"event":"dhcp.conflict-detection","by":"ARP"/);
    expect(await leaseOf('near')).toBe('10.0.0.101');
  });
});
