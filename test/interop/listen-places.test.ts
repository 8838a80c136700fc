import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { SERVES, startBootServer } from '../support/boot-server.ts';
import { createNamespacePair, type NamespacePair } from '../support/namespace-pair.ts';

const FILE = 'undionly.kpxe';
const SHA256 = createHash('sha256')
  .update(readFileSync(`/usr/lib/ipxe/${FILE}`))
  .digest('hex');

// Two links between server and client: 10.9.0.0/16 on eth0, 10.10.0.0/24 and fe80::1 on eth1.
let pair: NamespacePair;
beforeEach(async () => {
  pair = await createNamespacePair();
  await addSecondLink();
});
afterEach(async () => {
  await pair[Symbol.asyncDispose]();
});

const ip = (side: 'server' | 'client', words: string): Promise<unknown> =>
  execa('ip', ['-n', pair.names[side], ...words.split(' ')]);

async function addSecondLink(): Promise<void> {
  await ip('server', `link add eth1 type veth peer name eth1 netns ${pair.names.client}`);
  for (const [side, host] of [
    ['server', 1],
    ['client', 2],
  ] as const) {
    await ip(side, 'link set eth1 addrgenmode none');
    await ip(side, 'link set eth1 up');
    await ip(side, `addr add 10.10.0.${host}/24 dev eth1`);
    await ip(side, `-6 addr add fe80::${host}/64 dev eth1 nodad`);
  }
}

/** What the client gets, as a digest; else what curl says. */
async function fetched(url: string, seconds = 20): Promise<string> {
  const path = join(pair.folder, 'fetched');
  try {
    await pair.run('client', ['curl', '-gsS', '--max-time', String(seconds), '-o', path, url]);
  } catch (error) {
    return error instanceof Error && 'exitCode' in error ? `curl ${String(error.exitCode)}` : String(error);
  }
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** curl(1): refused, or no answer in time. */
const UNHEARD = /^curl (?:7|28|68)$/;

describe('the boot server on one of two links', () => {
  it('serves what an interface hears, of both families', async () => {
    await startBootServer(pair, { tftp: { listen: ['eth1'] }, http: { listen: ['eth1:8080'] } });
    expect(await fetched(`http://10.10.0.1:8080/boot/${FILE}`)).toBe(SHA256);
    expect(await fetched(`http://[fe80::1%25eth1]:8080/boot/${FILE}`)).toBe(SHA256);
    expect(await fetched(`tftp://10.10.0.1/${FILE}`)).toBe(SHA256);
    expect(await fetched(`tftp://[fe80::1%25eth1]/${FILE}`)).toBe(SHA256);
    expect(await fetched(`http://10.9.0.1:8080/boot/${FILE}`, 3)).toMatch(UNHEARD);
    expect(await fetched(`tftp://10.9.0.1/${FILE}`, 3)).toMatch(UNHEARD);
  });

  it('serves at addresses of both links, after their check for duplicates', async () => {
    // A minute of it: longer than the server takes to come so far.
    await pair.run('server', ['sysctl', '-qw', 'net.ipv6.conf.eth1.dad_transmits=60']);
    await execa('ip', ['-n', pair.names.server, '-6', 'addr', 'add', '2001:db8::1/64', 'dev', 'eth1']);
    await execa('ip', ['-n', pair.names.client, '-6', 'addr', 'add', '2001:db8::2/64', 'dev', 'eth1', 'nodad']);
    const places = {
      tftp: { listen: ['fe80::1%eth1', '10.9.0.1', '2001:db8::1'] },
      http: { listen: ['10.9.0.1:8080', '[fe80::1%eth1]:8081', '[2001:db8::1]:8081'] },
    };
    const server = await startBootServer(pair, places, /"event":"listen\.tentative"/);
    expect(server.output()).not.toMatch(SERVES);
    // What is left of the check takes no time.
    await pair.run('server', ['sysctl', '-qw', 'net.ipv6.neigh.eth1.retrans_time_ms=1']);
    await expect.poll(() => server.output()).toMatch(SERVES);
    expect(await fetched(`http://[2001:db8::1]:8081/boot/${FILE}`)).toBe(SHA256);
    expect(await fetched(`http://[fe80::1%25eth1]:8081/boot/${FILE}`)).toBe(SHA256);
    expect(await fetched(`http://10.9.0.1:8080/boot/${FILE}`)).toBe(SHA256);
    expect(await fetched(`tftp://[2001:db8::1]/${FILE}`)).toBe(SHA256);
    expect(await fetched(`tftp://[fe80::1%25eth1]/${FILE}`)).toBe(SHA256);
    expect(await fetched(`tftp://10.10.0.1/${FILE}`, 3)).toMatch(UNHEARD);
  });

  it('goes on there when the interface is taken away and made anew', async () => {
    const server = await startBootServer(pair, {
      dhcp: { interfaces: ['eth1'], subnets: [{ subnet: '10.10.0.0/24', pool: '10.10.0.100-10.10.0.199' }] },
      tftp: { listen: ['eth1'] },
      http: { listen: ['eth1:8080'] },
    });
    const lease = (): Promise<string> =>
      pair.run('client', 'busybox udhcpc -i eth1 -n -q -t 10 -T 1 -s /bin/true'.split(' '), 20_000);
    const everything = async (): Promise<void> => {
      await lease();
      expect(await fetched(`http://10.10.0.1:8080/boot/${FILE}`)).toBe(SHA256);
      expect(await fetched(`tftp://10.10.0.1/${FILE}`)).toBe(SHA256);
      expect(await fetched(`tftp://[fe80::1%25eth1]/${FILE}`)).toBe(SHA256);
    };
    await everything();
    await ip('server', 'link del eth1');
    await addSecondLink();
    // It looks once a second; a lease may take a DISCOVER more until then.
    await expect.poll(() => server.output(), { timeout: 20_000 }).toContain('"event":"interface.anew"');
    await everything();
  });
});
