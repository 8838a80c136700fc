import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, UDHCPC, type BootNetwork } from './boot-server-network.ts';

const INGOT = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const UUID = '4b37128e-6e72-4a8d-87da-8ad4d775582c';
const PXE = ['-V', 'PXEClient:Arch:00000:UNDI:002001', '-x', '93:0000', '-x', '97:008e12374b726e8d4a87da8ad4d775582c'];

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

/** A lease and its boot file, as BIOS firmware asks for them; the address is set. */
async function udhcpc(): Promise<string> {
  const script = net.file(
    'udhcpc.sh',
    '#!/bin/sh\n[ "$1" = bound ] && ip addr add "$ip/$mask" dev eth0 && echo "LEASE $ip $siaddr $boot_file"\nexit 0\n',
  );
  return /^LEASE .*$/m.exec((await net.run('near', [...UDHCPC, '-s', script, ...PXE])).output)?.[0] ?? '';
}

describe('ingot boot kernel', () => {
  it('boots everyone with one kernel and initrd, says who comes, and leaves nothing behind', async () => {
    const kernel = net.file('vmlinuz', 'the kernel');
    const initrd = net.file('initrd', 'the initrd');
    // Others may run one on this host, too.
    const tmp = join(net.folder, 'tmp');
    mkdirSync(tmp);
    const server = net.start('server', [
      'env',
      `TMPDIR=${tmp}`,
      process.execPath,
      INGOT,
      'boot',
      'kernel',
      kernel,
      initrd,
      '--cmdline',
      'quiet root=${uuid} ks=${files}/answers.cfg',
      '--file',
      net.file('answers.cfg', 'the answers'),
      '--interface',
      'br0',
      '--pool',
      '10.0.0.100-10.0.0.110',
    ]);
    await server.prints(/stop with Ctrl-C/);
    expect(server.output()).toContain('serving   10.0.0.0/24 from br0 10.0.0.1: DHCP 67, PXE 4011, TFTP 69, HTTP 8080');
    const mac = await net.macOf('near');
    const file = `${mac.replaceAll(':', '-')}/undionly.kpxe`;
    expect(await udhcpc()).toBe(`LEASE 10.0.0.100 10.0.0.1 ${file}`);
    const got = join(net.folder, 'got');
    const fetch = (url: string): Promise<unknown> => net.run('near', ['curl', '-sSf', '-o', got, url]);
    await net.run('near', ['busybox', 'tftp', '-g', '-r', file, '-l', got, '10.0.0.1']);
    await fetch(`http://10.0.0.1:8080/_/ipxe?arch=0&mac=${mac}&uuid=${UUID}`);
    const script = readFileSync(got, 'utf8');
    expect(script).toContain(`quiet root=${UUID} ks=http://10.0.0.1:8080/boot/answers.cfg `);
    await fetch('http://10.0.0.1:8080/boot/answers.cfg');
    expect(readFileSync(got, 'utf8')).toBe('the answers');
    const look = ['env', `TMPDIR=${tmp}`, process.execPath, INGOT, 'boot', 'trace', mac];
    expect((await net.run('server', look)).output).toMatch(/^stage +script/m);
    const urls = [...script.matchAll(/http:\/\/\S+/g)].map(([url]) => url);
    for (const kind of ['kernel', 'initrd']) {
      await fetch(urls.find((url) => url.includes(`type=${kind}`)) ?? 'none');
      expect(readFileSync(got, 'utf8')).toBe(`the ${kind}`);
    }
    await fetch(urls.find((url) => url.includes('/_/booting')) ?? 'none');
    await server.prints(/starts its kernel/);
    await server.kill('SIGINT');
    const lines = server
      .output()
      .split('\n')
      .filter((line) => line.includes(mac))
      .map((line) => line.slice(line.indexOf(mac) + mac.length + 2).replace(/, .*/, ''));
    expect(lines).toEqual([
      'wants to boot: is offered undionly.kpxe by TFTP',
      'has the address 10.0.0.100',
      'has undionly.kpxe',
      'has its script',
      'has a file of /boot/',
      'has its kernel',
      'has its initrd',
      'starts its kernel',
    ]);
    expect(server.output()).toContain('stopped: 1 machine came, 1 started the kernel');
    expect(server.process.exitCode).toBe(0);
  });

  it('says what holds the port', async () => {
    const holder = net.start('server', [
      process.execPath,
      '-e',
      "require('dgram').createSocket('udp4').bind(69,'10.0.0.1',()=>console.log('bound'))",
    ]);
    await holder.prints(/bound/);
    const { exitCode, output } = await net.run('server', [process.execPath, INGOT, 'boot', 'kernel', '/bin/sh']);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/ingot: TFTP: .*69/);
  });
});

describe('ingot boot kernel beside others', () => {
  const kernel = (...words: readonly string[]): readonly string[] => [
    process.execPath,
    INGOT,
    'boot',
    'kernel',
    '/bin/sh',
    ...words,
  ];

  it('takes no packets from a dnsmasq that would let it, says so, and answers below it when told to', async () => {
    const words = `dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --log-facility=- --no-ping --pid-file --bind-interfaces --interface=br0 --dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,1h --dhcp-leasefile=${net.folder}/dnsmasq.leases`;
    const dnsmasq = net.start('server', words.split(' '));
    await dnsmasq.prints(/started/);
    const refused = await net.run('server', kernel('--interface', 'br0'));
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toMatch(/dnsmasq \(pid \d+\) on 0\.0\.0\.0:67.*take --capture, or give .* --listen/);
    const server = net.start('server', kernel('--interface', 'br0', '--capture'));
    await server.prints(/stop with Ctrl-C/);
    // The lease is dnsmasq's, and what to boot ours: two answers to one question.
    expect(await udhcpc()).toMatch(/^LEASE 10\.0\.0\.(?:5\d|60) /);
    await server.prints(/wants to boot: is offered undionly.kpxe by TFTP/);
  });

  it('leases no address that somebody has', async () => {
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.100/24', 'dev', 'eth0']);
    const server = net.start('server', kernel('--interface', 'br0', '--pool', '10.0.0.100-10.0.0.110'));
    await server.prints(/stop with Ctrl-C/);
    expect(await udhcpc()).toMatch(/^LEASE 10\.0\.0\.101 /);
  });

  it('refuses what does not go, in the words of its flags', async () => {
    for (const [words, message] of [
      [['--pool', '10.0.5.1-10.0.5.9'], '--pool: 10.0.5.1 is not in 10.0.0.0/24'],
      [['--router', '10.0.0.254'], '--router goes with addresses that are leased: give --pool'],
      [['--cmdline', 'a=${foo}'], '--cmdline: there is no variable ${foo}'],
      [['/tmp'], '/tmp is no file'],
    ] as const) {
      const { exitCode, output } = await net.run('server', kernel('--interface', 'br0', ...words));
      expect(exitCode, output).not.toBe(0);
      expect(output).toContain(`ingot: ${message}`);
    }
    const { output } = await net.run('server', kernel('--listen', '10.0.0.9'));
    expect(output).toContain('ingot: no interface has 10.0.0.9; there is br0 (10.0.0.1)');
  });
});

describe('Ctrl-C in the midst of a transfer', () => {
  it('lets it go on for a while, says so, and ends at once at the second', async () => {
    const tmp = join(net.folder, 'tmp');
    mkdirSync(tmp);
    const large = net.file('large', '');
    truncateSync(large, 64 * 1024 * 1024);
    await net.run('near', ['ip', 'addr', 'add', '10.0.0.77/24', 'dev', 'eth0']);
    const server = net.start('server', [
      'env',
      `TMPDIR=${tmp}`,
      process.execPath,
      INGOT,
      'boot',
      'kernel',
      '/bin/sh',
      '--file',
      large,
      '--interface',
      'br0',
    ]);
    await server.prints(/stop with Ctrl-C/);
    const url = 'http://10.0.0.1:8080/boot/large';
    const client = net.start('near', ['curl', '-sS', '-v', '--limit-rate', '100k', '-o', '/dev/null', url]);
    await client.prints(/200 OK/);
    server.process.kill('SIGINT');
    await server.prints(/stopping: what is being sent may end.*Ctrl-C again/);
    await server.kill('SIGINT');
    expect(server.process.exitCode).toBe(130);
    expect(readdirSync(tmp)).toEqual([]);
  });

  it('a folder for temporary files that is not there is named', async () => {
    const none = join(net.folder, 'none');
    const words = ['env', `TMPDIR=${none}`, process.execPath, INGOT, 'boot', 'kernel', '/bin/sh', '--interface', 'br0'];
    const { exitCode, output } = await net.run('server', words);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^ingot: no folder can be made in .*none: .*name another with TMPDIR$/);
  });
});

describe('ingot boot that was killed', () => {
  it('leaves a folder that the next one removes, and nothing that anybody else has', async () => {
    const tmp = join(net.folder, 'tmp');
    mkdirSync(tmp);
    const boot = [
      'env',
      `TMPDIR=${tmp}`,
      process.execPath,
      INGOT,
      'boot',
      'kernel',
      net.file('vmlinuz', 'k'),
      '--interface',
      'br0',
    ];
    const killed = net.start('server', boot);
    await killed.prints(/stop with Ctrl-C/);
    const [leftover = ''] = readdirSync(tmp);
    await killed.kill('SIGKILL');
    expect(readdirSync(join(tmp, leftover))).toContain('lock.sqlite');

    const folder = (name: string): string => {
      mkdirSync(join(tmp, name), { mode: 0o700 });
      writeFileSync(join(tmp, name, 'lock.sqlite'), '');
      return join(tmp, name);
    };
    const others = [
      'ingot-boot-something',
      'ingot-boot-Open00',
      'ingot-boot-User00',
      'ingot-boot-Link00',
      'ingot-boot-Bare00',
    ];
    folder('ingot-boot-something');
    chmodSync(folder('ingot-boot-Open00'), 0o755);
    chownSync(folder('ingot-boot-User00'), 65_534, 65_534);
    symlinkSync('ingot-boot-something', join(tmp, 'ingot-boot-Link00'));
    mkdirSync(join(tmp, 'ingot-boot-Bare00'), { mode: 0o700 });

    const next = net.start('server', boot);
    await next.prints(/stop with Ctrl-C/);
    const [own = '', ...more] = readdirSync(tmp).filter((name) => !others.includes(name));
    expect(more).toEqual([]);
    expect(own).not.toBe(leftover);
    // Its ports are taken: this one ends, and takes its own folder along.
    const refused = await net.run('server', boot);
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain('8080: another process has the port; find it with');
    expect(refused.output).toContain('or take another with --port');
    await next.kill('SIGINT');
    expect(next.process.exitCode).toBe(0);
    expect(readdirSync(tmp).toSorted()).toEqual(others.toSorted());
    expect(readdirSync(join(tmp, 'ingot-boot-something'))).toEqual(['lock.sqlite']);
  });
});

describe('an interface without a link', () => {
  it('is named, with what to do', async () => {
    for (const words of [
      'link add idle type veth peer name other',
      'addr add 10.9.9.1/24 dev idle',
      'link set idle up',
    ])
      await net.run('server', ['ip', ...words.split(' ')]);
    const { exitCode, output } = await net.run('server', [
      process.execPath,
      INGOT,
      'boot',
      'kernel',
      '/bin/sh',
      '--interface',
      'idle',
    ]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain('ingot: idle has no link');
  });
});

describe('ingot boot rescue', () => {
  it('adds a shell to the discovery image', async () => {
    net.file('image-vmlinuz', '');
    const folder = net.folder;
    net.file('vmlinuz', 'the kernel');
    net.file('initrd', 'the initrd');
    const server = net.start('server', [
      process.execPath,
      INGOT,
      'boot',
      'rescue',
      '--image',
      folder,
      '--interface',
      'br0',
      '--pool',
      '10.0.0.100-10.0.0.110',
    ]);
    await server.prints(/stop with Ctrl-C/);
    await udhcpc();
    const mac = await net.macOf('near');
    const got = join(folder, 'got');
    await net.run('near', ['curl', '-sSf', '-o', got, `http://10.0.0.1:8080/_/ipxe?arch=0&mac=${mac}&uuid=${UUID}`]);
    const script = readFileSync(got, 'utf8');
    expect(script).toContain('rdinit=/rescue');
    const [, overlay = 'none'] = [...script.matchAll(/http:\/\/\S+type=initrd\S*/g)].map(([url]) => url);
    await net.run('near', ['curl', '-sSf', '-o', got, overlay]);
    const listed = await net.run('near', ['sh', '-c', `busybox cpio -itv < ${got}`]);
    expect(listed.output).toMatch(/-rwxr-xr-x.* rescue$/m);
    await server.kill('SIGINT');
  });
});

describe('ingot boot debian', () => {
  it('gives the installer its answers', async () => {
    const server = net.start('server', [
      process.execPath,
      INGOT,
      'boot',
      'debian',
      '--kernel',
      net.file('linux', 'the kernel'),
      '--initrd',
      net.file('initrd.gz', 'the initrd'),
      '--preseed',
      net.file('answers', 'd-i netcfg/choose_interface select auto'),
      '--listen',
      '10.0.0.1',
      '--pool',
      '10.0.0.100-10.0.0.110',
    ]);
    await server.prints(/stop with Ctrl-C/);
    await udhcpc();
    const got = join(net.folder, 'got');
    const mac = await net.macOf('near');
    await net.run('near', ['curl', '-sSf', '-o', got, `http://10.0.0.1:8080/_/ipxe?arch=0&mac=${mac}&uuid=${UUID}`]);
    const url = /auto=true priority=critical url=(\S+)/.exec(readFileSync(got, 'utf8'))?.[1] ?? 'none';
    await net.run('near', ['curl', '-sSf', '-o', got, url]);
    expect(readFileSync(got, 'utf8')).toBe('d-i netcfg/choose_interface select auto');
    await server.kill('SIGINT');
  });
});
