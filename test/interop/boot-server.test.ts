import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork, type Namespace } from './boot-server-network.ts';

const DISCOVER = fileURLToPath(new URL('boot-server-discover.ts', import.meta.url));
const UDHCPC_SCRIPT = `#!/bin/sh
case "$1" in
bound) ip addr add "$ip/$mask" dev "$interface"; [ -z "$router" ] || ip route add default via "$router"
  echo "LEASE ip=$ip router=$router dns=$dns ntpsrv=$ntpsrv siaddr=$siaddr file=$boot_file lease=$lease" ;;
esac
`;

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

/** A lease for `namespace`, set on its interface, and what the client heard. */
async function udhcpc(namespace: Namespace, more: readonly string[] = []): Promise<string> {
  const script = net.file('udhcpc.sh', UDHCPC_SCRIPT);
  const { output } = await net.run(namespace, [...UDHCPC, '-s', script, ...more]);
  return /^LEASE .*$/m.exec(output)?.[0] ?? output;
}

/** In the foreground: a daemon of it writes the pid file that the next one looks at some time after it said that it is bound. */
async function dhclient(namespace: Namespace, leases = 'dhclient.leases'): Promise<string> {
  const script = net.file('dhclient.sh', '#!/bin/sh\nexit 0\n');
  const pid = join(net.folder, `dhclient-${namespace}.pid`);
  const files = ['-sf', script, '-lf', join(net.folder, leases), '-pf', pid, 'eth0'];
  const client = net.start(namespace, ['dhclient', '-4', '-d', '-v', ...files]);
  await client.prints(/bound to/);
  await client.kill('SIGTERM');
  return client.output();
}

function relay(): Promise<void> {
  return net
    .start('leaf', 'dhcrelay -4 -d --no-pid -a -m append -c 10 -id Vlan4000 -iu eth0 10.0.0.1'.split(' '))
    .prints(/Sending on\s+Socket/);
}

const PXE = ['-V', 'PXEClient:Arch:00007:UNDI:003000', '-x', '93:0007', '-x', '97:008e12374b726e8d4a87da8ad4d775582c'];

describe('leases', () => {
  it('ISC dhclient on the own link and behind ISC dhcrelay is bound to an address of its network', async () => {
    const server = await net.bootServer();
    await relay();
    expect(await dhclient('near', 'near.leases')).toMatch(/bound to 10\.0\.0\.100 /);
    expect(await dhclient('far', 'far.leases')).toMatch(/bound to 10\.0\.1\.100 /);
    const leases = readFileSync(join(net.folder, 'far.leases'), 'utf8');
    expect(leases).toContain('option routers 10.0.1.1;');
    expect(leases).toContain('option dhcp-server-identifier 10.0.0.1;');
    await server.prints(/"giaddr":"10\.0\.1\.1".*"event":"dhcp\.ack".*"address":"10\.0\.1\.100"/);
  });

  it('busybox udhcpc behind the relay hears everything, and boots as EDK2 does', async () => {
    await net.bootServer();
    await relay();
    const mac = (await net.macOf('far')).replaceAll(':', '-');
    expect(await udhcpc('far', [...PXE, '-O', 'ntpsrv'])).toBe(
      `LEASE ip=10.0.1.100 router=10.0.1.1 dns= ntpsrv=10.0.0.123 siaddr=10.0.0.1 file=${mac}/snponly.efi lease=600`,
    );
  });

  it('reach a booting udhcpc through dnsmasq as the relay', async () => {
    const server = await net.bootServer();
    const words = 'dnsmasq -k --conf-file=/dev/null --port=0 --user=root --pid-file --log-facility=- --log-dhcp';
    const dnsmasq = net.start('leaf', [...words.split(' '), '--dhcp-relay=10.0.1.1,10.0.0.1']);
    await dnsmasq.prints(/DHCP relay from 10\.0\.1\.1 to 10\.0\.0\.1/);
    const mac = (await net.macOf('far')).replaceAll(':', '-');
    expect(await udhcpc('far', PXE)).toBe(
      `LEASE ip=10.0.1.100 router=10.0.1.1 dns= ntpsrv=10.0.0.123 siaddr=10.0.0.1 file=${mac}/snponly.efi lease=600`,
    );
    await server.prints(/"giaddr":"10\.0\.1\.1".*"event":"dhcp\.ack"/);
  });

  it('outlive kill -9', async () => {
    const first = await net.bootServer();
    await relay();
    expect(await dhclient('far', 'one.leases')).toMatch(/bound to 10\.0\.1\.100 /);
    await first.kill('SIGKILL');
    await net.bootServer();
    // Another machine on the same link must not get the address, which its holder still uses.
    await net.run('far', ['ip', 'link', 'set', 'eth0', 'down']);
    await net.run('far', ['ip', 'link', 'set', 'eth0', 'address', '52:54:00:00:0a:0a']);
    await net.run('far', ['ip', 'link', 'set', 'eth0', 'up']);
    expect(await dhclient('far', 'two.leases')).toMatch(/bound to 10\.0\.1\.101 /);
  });
});

describe('beside ISC dhcpd on the same host', () => {
  it('both answer a booting client, and one that does not boot hears dhcpd alone', async () => {
    const config = net.file(
      'dhcpd.conf',
      'authoritative;\nsubnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.50 10.0.0.60; option routers 10.0.0.254; }\n',
    );
    const dhcpd = net.start('server', [
      'dhcpd',
      '-4',
      '-d',
      '-f',
      '--no-pid',
      '-cf',
      config,
      '-lf',
      net.file('dhcpd.leases', ''),
      'br0',
    ]);
    await dhcpd.prints(/Sending on\s+Socket/);
    const server = await net.bootServer({
      dhcp: { listen: ['10.0.0.1'], mode: 'proxy', subnets: [{ subnet: '10.0.0.0/24' }] },
    });
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0']);
    await net.run('near', ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
    const offers = async (
      kind: string,
      count: number,
    ): Promise<{ yiaddr: string; siaddr: string; vendorClass: string | null; file: string }[]> => {
      const mac = await net.macOf('near');
      const { output } = await net.run('near', [process.execPath, DISCOVER, kind, mac, String(count)]);
      return JSON.parse(output);
    };
    const booting = await offers('pxe', 2);
    expect(booting).toContainEqual(
      expect.objectContaining({ yiaddr: expect.stringMatching(/^10\.0\.0\.5\d|10\.0\.0\.60$/), vendorClass: null }),
    );
    expect(booting).toContainEqual(
      expect.objectContaining({
        yiaddr: '0.0.0.0',
        siaddr: '10.0.0.1',
        vendorClass: 'PXEClient',
        file: expect.stringContaining('/snponly.efi'),
      }),
    );
    const plain = await offers('plain', 1);
    expect(plain.length).toBeGreaterThan(0);
    expect(plain.every(({ yiaddr }) => yiaddr !== '0.0.0.0')).toBe(true);
    expect(await dhclient('near')).toMatch(/bound to 10\.0\.0\.\d+ /);
    expect(server.output()).not.toContain('"level":"error"');
  });

  it('a server that would lease addresses, too, refuses to start beside another program on its port', async () => {
    const holder = net.start('server', [
      process.execPath,
      '-e',
      "require('dgram').createSocket('udp4').bind(67,'10.0.0.1',()=>console.log('bound'))",
    ]);
    await holder.prints(/bound/);
    await expect(net.bootServer()).rejects.toThrow(/another process has UDP port 67/);
  });
});

describe('TFTP', () => {
  it('a file outside of the published ones stays there', async () => {
    await net.bootServer();
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0']);
    const { output } = await net.run('near', 'tftp -m binary 10.0.0.1 -c get ../../../etc/passwd got'.split(' '));
    expect(output).toContain('Error code 1');
  });
});

describe('HTTP', () => {
  it('curl gets a file whole, in parts, and not again', async () => {
    await net.bootServer();
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0']);
    const url = 'http://10.0.0.1:8080/boot/52-54-00-00-01-01/snponly.efi';
    const real = readFileSync('/usr/lib/ipxe/snponly.efi');
    const etag = `"${createHash('sha256').update(real).digest('hex')}"`;
    const curl = async (...more: string[]): Promise<string> =>
      (await net.run('near', ['curl', '-s', ...more, url])).output;
    // By letter: GRUB 2.06 knows the length by no other spelling.
    expect(await curl('-I')).toMatch(/^HTTP\/1\.1 200 OK[^]*Content-Length: 173792/);
    await curl('-o', 'whole');
    expect(Buffer.compare(readFileSync(join(net.folder, 'whole')), real)).toBe(0);
    await curl('-o', 'parts', '-r', '0-99999');
    await curl('-o', 'parts', '-C', '-');
    expect(Buffer.compare(readFileSync(join(net.folder, 'parts')), real)).toBe(0);
    expect(await curl('-o', '/dev/null', '-w', '%{http_code}', '-H', `If-None-Match: ${etag}`)).toBe('304');
    expect(await curl('-o', '/dev/null', '-w', '%{http_code}', '-r', '999999-')).toBe('416');
  });

  it('a script is not given to an address that never asked for a boot', async () => {
    const server = await net.bootServer();
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0']);
    const { output } = await net.run('near', [
      'curl',
      '-s',
      '-w',
      '%{http_code}',
      'http://10.0.0.1:8080/_/ipxe?arch=1&mac=52:54:00:00:01:01',
    ]);
    expect(output).toMatch(/did not ask for a boot by DHCP[^]*404$/);
    await server.prints(/"reason":"not-seen"/);
  });
});

describe('a full disk', () => {
  it('is said in the log and by /readyz; when there is room again, machines are answered again', async () => {
    const small = join(net.folder, 'small');
    // Mounted in the server's own mount namespace: gone with it.
    const mount = `mkdir ${small} && mount -t tmpfs -o size=1200k tmpfs ${small} && exec "$@"`;
    const server = await net.bootServer({ dataDir: join(small, 'data'), metrics: '127.0.0.1:2113' }, [
      'sh',
      '-c',
      mount,
      'sh',
    ]);
    const lease = async (...more: readonly string[]): Promise<string> =>
      (await net.run('near', [...UDHCPC, '-s', '/bin/true', ...more])).output.includes('lease of 10.0.0.')
        ? 'lease'
        : 'none';
    const ready = async (): Promise<string> =>
      (await net.run('server', ['curl', '-sS', 'http://127.0.0.1:2113/readyz'])).output;
    expect(await lease()).toBe('lease');
    const fill = `/proc/${server.process.pid ?? 0}/root${small}/fill`;
    await net.run('server', ['dd', 'if=/dev/zero', `of=${fill}`, 'bs=4k']);
    await net.run('near', ['ip', 'link', 'set', 'eth0', 'address', '52:54:00:00:07:01']);
    // Two tries: there is nothing to come.
    expect(await lease('-t', '2', '-T', '2')).toBe('none');
    await server.prints(/"event":"store.failed".*free space on the disk of dataDir/);
    expect(await ready()).toContain('"store":"database or disk is full"');
    await net.run('server', ['rm', fill]);
    expect(await ready()).toContain('"status":"ready"');
    expect(await lease()).toBe('lease');
  });
});

describe('settings that contradict each other', () => {
  it('end it with 78, which systemd takes for the last word', async () => {
    const config = net.file(
      'wrong.yaml',
      JSON.stringify({
        partition: 'test',
        dataDir: join(net.folder, 'data'),
        advertiseAddress: '10.0.0.1',
        dhcp: { listen: ['10.0.0.1'], subnets: [{ subnet: '10.0.0.0/24', pool: '10.0.5.1-10.0.5.9' }] },
        http: { listen: '10.0.0.1:8080' },
        sources: { profiles: { inline: [] } },
      }),
    );
    const main = fileURLToPath(new URL('../../packages/boot-server/src/main.ts', import.meta.url));
    const { exitCode, output } = await net.run('server', [process.execPath, main, '--config', config]);
    expect(output).toContain('ingot boot-server: dhcp.subnets[0].pool: 10.0.5.1 is not in 10.0.0.0/24');
    expect(exitCode).toBe(78);
  });
});
