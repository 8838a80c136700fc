import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork, type Running } from './boot-server-network.ts';

const DISCOVER = fileURLToPath(new URL('boot-server-discover.ts', import.meta.url));
const proxy = { dhcp: { listen: ['10.0.0.1'], mode: 'proxy', subnets: [{ subnet: '10.0.0.0/24' }] } };

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

async function dnsmasq(...more: readonly string[]): Promise<Running> {
  const words = `dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --log-facility=- --no-ping --pid-file --dhcp-leasefile=${net.folder}/dnsmasq.leases`;
  const running = net.start('server', [...words.split(' '), ...more]);
  await running.prints(/started/);
  return running;
}

async function startKea(type: string): Promise<void> {
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: ['br0/10.0.0.1'], 'dhcp-socket-type': type },
      'lease-database': { type: 'memfile', persist: false },
      subnet4: [
        { id: 1, subnet: '10.0.0.0/24', pools: [{ pool: '10.0.0.50 - 10.0.0.60' }] },
        { id: 2, subnet: '10.0.1.0/24', pools: [{ pool: '10.0.1.50 - 10.0.1.60' }] },
      ],
      loggers: [{ name: 'kea-dhcp4', severity: 'INFO', output_options: [{ output: 'stdout' }] }],
    },
  };
  const kea = net.start('server', [
    'env',
    `KEA_PIDFILE_DIR=${net.folder}`,
    'KEA_LOCKFILE_DIR=none',
    'kea-dhcp4',
    '-c',
    net.file('kea.json', JSON.stringify(config)),
  ]);
  await kea.prints(/DHCP4_STARTED/);
}

/** Those of `count` offers, and of more that come within a second. */
async function addressesOffered(count: number, namespace: 'near' | 'far' = 'near'): Promise<string[]> {
  const own = namespace === 'near' ? '10.0.0.9/24' : '10.0.1.9/24';
  await net.run(namespace, ['ip', 'addr', 'replace', own, 'dev', 'eth0']);
  await net.run(namespace, ['ip', 'route', 'replace', 'default', 'dev', 'eth0']);
  const words = [process.execPath, DISCOVER, 'pxe', await net.macOf(namespace), String(count)];
  const { output } = await net.run(namespace, words);
  const offers: { yiaddr: string }[] = JSON.parse(output);
  return offers.map(({ yiaddr }) => yiaddr);
}

describe('beside dnsmasq on the same address', () => {
  const range = '--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,1h';

  it.each([
    ['by default', []],
    ['with bind-interfaces', ['--bind-interfaces', '--interface=br0']],
    ['with bind-dynamic', ['--bind-dynamic', '--interface=br0']],
  ])('%s the boot server names it and does not start, and dnsmasq goes on offering', async (_mode, words) => {
    await dnsmasq(range, ...words);
    await expect(net.bootServer(proxy)).rejects.toThrow(
      /another process has UDP port 67: dnsmasq \(pid \d+\) on 0\.0\.0\.0:67[^]*an address of its own/,
    );
    expect(await addressesOffered(1)).toContainEqual(expect.stringMatching(/^10\.0\.0\.(5\d|60)$/));
  });

  it('on another interface, as libvirt has one, the boot server starts', async () => {
    await net.run('server', ['ip', 'link', 'add', 'virbr0', 'type', 'bridge']);
    await net.run('server', ['ip', 'addr', 'add', '192.168.122.1/24', 'dev', 'virbr0']);
    await net.run('server', ['ip', 'link', 'set', 'virbr0', 'up']);
    await dnsmasq(
      '--dhcp-range=192.168.122.50,192.168.122.60,255.255.255.0,1h',
      '--bind-dynamic',
      '--interface=virbr0',
      '--except-interface=lo',
    );
    const server = await net.bootServer(proxy);
    expect(server.output()).toMatch(
      /"event":"dhcp.neighbours","neighbours":\["dnsmasq \(pid \d+\) on 0\.0\.0\.0:67 of virbr0"\]/,
    );
    expect(await addressesOffered(1)).toEqual(['0.0.0.0']);
  });
});

describe('beside Kea on the same address', () => {
  it.each(['raw', 'udp'])('with %s sockets the boot server names it and does not start', async (type) => {
    await startKea(type);
    await expect(net.bootServer(proxy)).rejects.toThrow(/another process has UDP port 67/);
    if (type === 'raw') expect(await addressesOffered(1)).toContainEqual(expect.stringMatching(/^10\.0\.0\.(5\d|60)$/));
  });
});

describe('with capture, on the same address,', () => {
  const capture = {
    dhcp: {
      listen: ['10.0.0.1'],
      mode: 'proxy',
      capture: true,
      subnets: [{ subnet: '10.0.0.0/24' }, { subnet: '10.0.1.0/24' }],
    },
  };
  const ranges = [0, 1].map((third) => `--dhcp-range=10.0.${third}.50,10.0.${third}.60,255.255.255.0,1h`);
  const bothOffer = async (): Promise<void> => {
    await bothOfferLocally();
    await bothOfferThroughRelay();
  };
  const bothOfferLocally = async (): Promise<void> => {
    expect(await addressesOffered(2)).toEqual(
      expect.arrayContaining(['0.0.0.0', expect.stringMatching(/^10\.0\.0\.(5\d|60)$/)]),
    );
  };
  const bothOfferThroughRelay = async (): Promise<void> => {
    const relay = 'dhcrelay -4 -d --no-pid -a -m append -c 10 -id Vlan4000 -iu eth0 10.0.0.1';
    await net.start('leaf', relay.split(' ')).prints(/Sending on/);
    expect(await addressesOffered(2, 'far')).toEqual(
      expect.arrayContaining(['0.0.0.0', expect.stringMatching(/^10\.0\.1\.(5\d|60)$/)]),
    );
  };

  it.each([
    ['by default', []],
    ['with bind-interfaces', ['--bind-interfaces', '--interface=br0']],
    ['with bind-dynamic', ['--bind-dynamic', '--interface=br0']],
  ])('dnsmasq %s and the boot server both answer, local clients and relayed ones', async (_mode, words) => {
    await dnsmasq(...ranges, ...words);
    const server = await net.bootServer(capture);
    expect(server.output()).toMatch(/"event":"dhcp.capture","interfaces":\["br0"\]/);
    await bothOffer();
  });

  it('Kea with raw sockets and the boot server both answer, local clients and relayed ones', async () => {
    await startKea('raw');
    await net.bootServer(capture);
    await bothOffer();
  });

  it('Kea with udp sockets, which hear relayed clients only, and the boot server both answer', async () => {
    await startKea('udp');
    await net.bootServer(capture);
    expect(await addressesOffered(1)).toEqual(['0.0.0.0']);
    await bothOfferThroughRelay();
  });

  it('the other server may start later', async () => {
    await net.bootServer(capture);
    await dnsmasq(...ranges, '--bind-interfaces', '--interface=br0');
    await bothOffer();
  });

  it('as another user, who may not open such sockets himself, the boot server goes on hearing, also where its interface is made anew', async () => {
    // Out of its reach otherwise.
    chmodSync(net.folder, 0o711);
    const server = await net.bootServer({ ...capture, runAs: 'daemon' });
    expect(await addressesOffered(1)).toEqual(['0.0.0.0']);
    await net.run('server', ['ip', 'link', 'del', 'br0']);
    await server.prints(/"event":"interface.gone"/);
    for (const words of ['link add br0 type bridge', 'addr add 10.0.0.1/24 dev br0', 'link set br0 up'])
      await net.run('server', ['ip', ...words.split(' ')]);
    for (const port of ['p0', 'p1']) await net.run('server', ['ip', 'link', 'set', port, 'master', 'br0']);
    await server.prints(/"event":"interface.anew"/);
    expect(await addressesOffered(1)).toEqual(['0.0.0.0']);
    await server.kill('SIGTERM');
    expect(server.process.exitCode).toBe(0);
  });

  it('without the right to do so the boot server says what it takes', async () => {
    await expect(
      net.bootServer(capture, ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw']),
    ).rejects.toThrow(/dhcp\.capture: it takes CAP_NET_RAW/);
  });

  it('is refused where addresses are leased', async () => {
    await expect(
      net.bootServer({
        dhcp: { ...capture.dhcp, mode: 'server', subnets: [{ subnet: '10.0.0.0/24', pool: '10.0.0.100-10.0.0.110' }] },
      }),
    ).rejects.toThrow(/dhcp\.capture: it goes with mode: proxy only/);
  });
});

describe('interfaces', () => {
  it('two links of the server itself are served, each with its own network', async () => {
    for (const words of [
      'link add br1 type bridge',
      'addr add 10.0.3.1/24 dev br1',
      'link set br1 up',
      'link set p0 nomaster',
      'link set p0 master br1',
    ])
      await net.run('server', ['ip', ...words.split(' ')]);
    const server = await net.bootServer({
      dhcp: {
        interfaces: ['br0', 'br1'],
        subnets: [
          { subnet: '10.0.0.0/24', pool: '10.0.0.100-10.0.0.110' },
          { subnet: '10.0.3.0/24', pool: '10.0.3.100-10.0.3.110' },
        ],
      },
    });
    const ask = async (namespace: 'near' | 'leaf'): Promise<string> => {
      const { output } = await net.run(namespace, [...UDHCPC, '-s', '/bin/true']);
      return /lease of (\S+) obtained/.exec(output)?.[1] ?? output;
    };
    expect(await ask('near')).toBe('10.0.3.100');
    expect(await ask('leaf')).toBe('10.0.0.100');
    expect(server.output()).not.toContain('"level":"error"');
  });

  it('that are not there are named', async () => {
    await expect(
      net.bootServer({
        dhcp: { interfaces: ['eth7'], subnets: [{ subnet: '10.0.0.0/24', pool: '10.0.0.100-10.0.0.110' }] },
      }),
    ).rejects.toThrow(/this machine has no interface eth7/);
  });
});
