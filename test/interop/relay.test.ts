import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRelayNetwork, SERVERS, type RelayNetwork, type Side } from './relay-network.ts';

// ISC dhclient and busybox udhcpc, Kea and dnsmasq, with our relay between them.

let net: RelayNetwork;
beforeEach(async () => {
  net = await createRelayNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

const BOTH_VLANS = { interfaces: ['Vlan4000', 'Vlan4001'] };
/** giaddr is Loopback0's for both VLANs, and clients take the relay for their server. */
const ANYCAST = { sourceInterface: 'Loopback0', linkSelection: true, serverIdOverride: true };

/** Sets the address and a way out, as dhclient's own script would. */
const DHCLIENT_SCRIPT = `#!/bin/sh
case "$reason" in
BOUND | REBOOT | RENEW | REBIND) ip addr replace "$new_ip_address/24" dev "$interface"; ip route replace default via "$new_routers" ;;
esac
exit 0
`;
const UDHCPC_SCRIPT = `#!/bin/sh
case "$1" in
bound | renew) ip addr replace "$ip/$mask" dev "$interface"; ip route replace default via "$router"
  echo "LEASE $1 ip=$ip router=$router serverid=$serverid domain=$domain" ;;
esac
`;

interface Dhclient {
  readonly argv: readonly string[];
  leases(): string;
}

function dhclient(side: Side): Dhclient {
  const leases = join(net.folder, `${side}.leases`);
  const script = net.file('dhclient.sh', DHCLIENT_SCRIPT);
  const argv = ['dhclient', '-4', '-v', '-sf', script, '-lf', leases, '-pf', join(net.folder, `${side}.pid`)];
  return { argv, leases: () => readFileSync(leases, 'utf8') };
}

/**
 * Gets a lease, and leaves the client's memory of it behind. In the foreground: a daemon of it writes the pid file that
 * the next one looks at some time after it said that it is bound.
 */
async function bind(side: Side): Promise<string> {
  const client = net.start(side, [...dhclient(side).argv, '-d', 'eth0']);
  await client.prints(/bound to/);
  await client.kill('SIGTERM');
  return client.output();
}

function udhcpc(...more: readonly string[]): readonly string[] {
  const script = net.file('udhcpc.sh', UDHCPC_SCRIPT);
  return ['busybox', 'udhcpc', '-i', 'eth0', '-f', '-t', '4', '-T', '6', '-s', script, ...more];
}

describe('Kea behind the relay', () => {
  it('leases dhclient an address of its VLAN, knows it again, and takes the lease back', async () => {
    const kea = await net.kea();
    await net.relay({ ...BOTH_VLANS, servers: [SERVERS.kea] });
    expect(await bind('first')).toMatch(/bound to 10\.0\.1\.100 /);
    expect(await bind('second')).toMatch(/bound to 10\.0\.2\.100 /);
    // INIT-REBOOT: a REQUEST without a server.
    const again = await bind('first');
    expect(again).not.toContain('DHCPDISCOVER');
    expect(again).toMatch(/DHCPREQUEST for 10\.0\.1\.100 on eth0 to 255\.255\.255\.255[^]*bound to 10\.0\.1\.100 /);
    await net.run('first', [...dhclient('first').argv, '-r', 'eth0']);
    await kea.prints(/DHCP4_RELEASE .*10\.0\.1\.100/);
  });

  it('finds the VLAN of a client by link selection, with one giaddr for all', async () => {
    await net.kea();
    // Sockets are bound to the device of a VRF as to any other.
    const relay = await net.relay({ ...BOTH_VLANS, ...ANYCAST, servers: [SERVERS.kea], serverVrf: 'eth0' });
    expect(await bind('second')).toMatch(/bound to 10\.0\.2\.100 /);
    expect(await bind('first')).toMatch(/bound to 10\.0\.1\.100 /);
    await relay.prints(/"link":"Vlan4001","giaddr":"10\.255\.0\.1"/);
    expect(relay.output()).not.toContain('relay.refused');
  });
});

describe('dnsmasq behind the relay', () => {
  it('tells udhcpc by its port of the leaf, with and without the broadcast flag, and by link selection', async () => {
    await net.dnsmasq(
      '--dhcp-circuitid=set:front,leaf1:Eth1/1',
      '--dhcp-option=tag:front,option:domain-name,front.example',
    );
    const relay = await net.relay({
      ...BOTH_VLANS,
      ...ANYCAST,
      servers: [SERVERS.dnsmasq],
      aliases: { Ethernet0: 'Eth1/1' },
    });
    const front = 'serverid=10.0.1.1 domain=front.example';
    expect(await net.run('first', udhcpc('-n', '-q'))).toMatch(
      new RegExp(`LEASE bound ip=10\\.0\\.1\\.2\\d\\d router=10\\.0\\.1\\.1 ${front}`),
    );
    expect(await net.run('first', udhcpc('-n', '-q', '-B'))).toContain(front);
    expect(await net.run('second', udhcpc('-n', '-q'))).toMatch(
      /LEASE bound ip=10\.0\.2\.2\d\d router=10\.0\.2\.1 serverid=10\.0\.2\.1 domain=$/m,
    );
    expect(relay.output()).not.toContain('relay.refused');
  });

  it('renews and releases through the relay, also after that was killed', async () => {
    const dnsmasq = await net.dnsmasq();
    const config = { ...BOTH_VLANS, ...ANYCAST, servers: [SERVERS.dnsmasq] };
    const first = await net.relay(config);
    const client = net.start('first', udhcpc('-R'));
    await client.prints(/LEASE bound ip=10\.0\.1\.2/);
    await first.kill('SIGKILL');
    await net.relay(config);
    client.process.kill('SIGUSR1');
    await client.prints(/LEASE renew ip=10\.0\.1\.2/);
    client.process.kill('SIGUSR2');
    await dnsmasq.prints(/DHCPRELEASE\(eth0\) 10\.0\.1\.2/);
  });
});

describe('two servers behind the relay', () => {
  it('a client is bound by the one that it chose, although both could take themselves to be meant', async () => {
    const kea = await net.kea();
    const dnsmasq = await net.dnsmasq();
    const relay = await net.relay({ ...BOTH_VLANS, ...ANYCAST, servers: Object.values(SERVERS) });
    const bound = /bound to 10\.0\.1\.(\d+) /.exec(await bind('first'))?.[1];
    expect(bound).toBeDefined();
    // Kea's pool is the lower one.
    const isKeas = Number(bound) < 200;
    await (isKeas ? kea.prints(/DHCP4_LEASE_ALLOC/) : dnsmasq.prints(/DHCPACK/));
    expect([kea.output().includes('DHCP4_LEASE_ALLOC'), dnsmasq.output().includes('DHCPACK')]).toEqual([
      isKeas,
      !isKeas,
    ]);
    expect(relay.output()).not.toContain('relay.refused');
  });
});

describe('an answer that is longer than a frame', () => {
  it('reaches the client whole', async () => {
    const relay = await net.relay({ ...BOTH_VLANS, servers: [SERVERS.kea] });
    const listen = `require('node:dgram').createSocket('udp4').on('message', (data) => { console.log('heard', data.length); process.exit(); }).bind(68, () => console.log('listening'))`;
    const client = net.start('first', [process.execPath, '-e', listen]);
    await client.prints(/listening/);
    const giaddr = Uint8Array.of(10, 0, 1, 1);
    const reply = new Uint8Array(4_000);
    reply.set([2, 1, 6, 1]);
    reply.set([0x80, 0], 10);
    reply.set(giaddr, 24);
    reply.set([0x63, 0x82, 0x53, 0x63, 53, 1, 2], 236);
    // Options up to the end: 14 of 255 bytes.
    for (let at = 243; at + 257 < reply.length; at += 257) reply.set([43, 255], at);
    reply.set([255], 243 + 14 * 257);
    const send = `const socket = require('node:dgram').createSocket('udp4'); socket.bind(67, () => socket.send(Buffer.from('${Buffer.from(reply).toString('hex')}', 'hex'), 67, '10.0.1.1', () => socket.close()))`;
    await net.run('kea', [process.execPath, '-e', send]);
    await client.prints(/heard 3842/);
    expect(relay.output()).not.toContain('relay.refused');
  });
});

describe('hostile packets on a VLAN', () => {
  it('do not keep an honest client of the same VLAN from its lease, and are not passed on', async () => {
    const dnsmasq = await net.dnsmasq();
    const relay = await net.relay({ ...BOTH_VLANS, servers: [SERVERS.dnsmasq] });
    const flood = net.file('flood.cjs', FLOOD);
    await net.run('first', ['ip', 'route', 'add', '255.255.255.255/32', 'dev', 'eth0']);
    const [flooded, lease] = await Promise.all([
      net.run('first', [process.execPath, flood]),
      net.run('first', udhcpc('-n', '-q', '-t', '14', '-T', '2')),
    ]);
    expect(flooded).toContain('sent 20000');
    expect(lease).toContain('LEASE bound ip=10.0.1.2');
    expect(relay.process.exitCode).toBeNull();
    await relay.prints(/"reason":"malformed"/);
    // One line for each reason and link, and no more.
    expect(relay.output().split('relay.refused').length).toBeLessThan(30);
    expect(dnsmasq.output()).not.toContain('52:54:00:ba:d0');
  });
});

/** Rubbish, headers with rubbish behind them, and requests that pretend to be a relay's or a server's. */
const FLOOD = `
const { randomBytes, randomInt } = require('node:crypto');
const socket = require('node:dgram').createSocket('udp4');
const header = Buffer.alloc(240);
header.set([1, 1, 6]);
header.set([0x52, 0x54, 0, 0xba, 0xd0, 1], 28);
header.set([0x63, 0x82, 0x53, 0x63], 236);
const kinds = [
  () => randomBytes(randomInt(1500)),
  () => Buffer.concat([header, Buffer.from([53, 1, 1, 82, 200]), randomBytes(randomInt(100))]),
  () => Buffer.concat([header, Buffer.from([53, 1, 1, 82, 2, 1, 0, 255])]),
  () => { const forged = Buffer.concat([header, Buffer.from([53, 1, 1, 255])]); forged.set([10, 0, 2, 1], 24); return forged; },
  () => { const forged = Buffer.concat([header, Buffer.from([53, 1, 2, 255])]); forged[0] = 2; return forged; },
];
socket.bind(0, () => {
  socket.setBroadcast(true);
  let sent = 0;
  const more = () => {
    for (let count = 0; count < 500 && sent < 20000; count += 1, sent += 1)
      socket.send(kinds[sent % kinds.length](), 67, '255.255.255.255');
    if (sent < 20000) setTimeout(more, 20);
    else { console.log('sent', sent); setTimeout(() => socket.close(), 100); }
  };
  more();
});
`;

describe('a relay that follows CONFIG_DB', () => {
  it('serves a VLAN from when it gets a server, and goes on while Redis is away', async () => {
    await net.dnsmasq();
    const socket = join(net.folder, 'redis.sock');
    const redis = net.start(
      'leaf',
      `redis-server --port 0 --save --unixsocket ${socket} --dir ${net.folder}`.split(' '),
    );
    await redis.prints(/ready to accept connections/i);
    const database = { id: 4, separator: '|', instance: 'redis' };
    const databaseConfig = net.file(
      'database_config.json',
      JSON.stringify({
        INSTANCES: { redis: { unix_socket_path: socket } },
        DATABASES: Object.fromEntries(
          ['APPL_DB', 'ASIC_DB', 'COUNTERS_DB', 'CONFIG_DB', 'STATE_DB'].map((name) => [name, database]),
        ),
      }),
    );
    const cli = (...words: readonly string[]): Promise<string> =>
      net.run('leaf', ['redis-cli', '-s', socket, '-n', '4', ...words]);
    await cli('HSET', 'PORT|Ethernet0', 'alias', 'Eth1/1');
    await cli('HSET', 'VLAN|Vlan4000', 'vlanid', '4000');
    const relay = await net.relay({ redis: { databaseConfig }, hostname: undefined, logLevel: 'debug' });
    await cli('HSET', 'VLAN|Vlan4000', 'dhcp_servers@', SERVERS.dnsmasq);
    await relay.prints(/"event":"relay.link","link":"Vlan4000"/);
    expect(await net.run('first', udhcpc('-n', '-q'))).toContain('LEASE bound ip=10.0.1.2');
    // A Redis that is away changes nothing.
    await redis.kill('SIGKILL');
    await relay.prints(/config-db: CONFIG_DB/);
    expect(await net.run('first', udhcpc('-n', '-q'))).toContain('LEASE bound ip=10.0.1.2');
  });
});
