import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootNetwork, type BootNetwork, type Running } from './boot-server-network.ts';

const MAIN = fileURLToPath(new URL('raspberry-pi-main.ts', import.meta.url));
const MAC = 'dc:a6:32:11:22:33';
const SERIAL = 'd9780558';

let net: BootNetwork;
beforeEach(async () => {
  net = await createBootNetwork();
  await net.run('near', ['ip', 'link', 'set', 'eth0', 'address', MAC]);
  await net.run('near', ['ip', 'route', 'add', 'default', 'dev', 'eth0']);
});
afterEach(async () => {
  await net[Symbol.asyncDispose]();
});

/** Publishes files of these texts, or of so many bytes; answers their digests by name. */
function publish(files: Readonly<Record<string, string | number>>): Readonly<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const [name, content] of Object.entries(files)) {
    const path = join(net.folder, 'tftp', name);
    mkdirSync(dirname(path), { recursive: true });
    const data = typeof content === 'string' ? Buffer.from(content) : Buffer.alloc(content, name);
    writeFileSync(path, data);
    digests[name] = createHash('sha256').update(data).digest('hex');
  }
  return digests;
}

/** Its socket hears no frame for an address that it does not have yet; the ROM does. */
function serving(change: Readonly<Record<string, unknown>>): Promise<Running> {
  return net.bootServer({
    tftp: { root: join(net.folder, 'tftp') },
    dhcp: { listen: ['10.0.0.1'], unicast: 'never', ...change },
  });
}
const LEASING = { subnets: [{ subnet: '10.0.0.0/24', pool: '10.0.0.100-10.0.0.199' }] };

interface Booted {
  readonly address: string;
  readonly server: string;
  /** Digests by name, in the order in which they were asked for; null for what is not there. */
  readonly files: Readonly<Record<string, string | null>>;
}

async function boot(serial: string): Promise<Booted> {
  const { exitCode, output } = await net.run('near', [process.execPath, MAIN, MAC, serial]);
  expect(exitCode, output).toBe(0);
  const booted: Booted = JSON.parse(output);
  return booted;
}

describe('a Raspberry Pi 4', () => {
  it('boots all from the folder of its serial number', async () => {
    const server = await serving(LEASING);
    const own = publish({
      [`${SERIAL}/start4.elf`]: 600_001,
      [`${SERIAL}/fixup4.dat`]: 5_448,
      [`${SERIAL}/config.txt`]: 'arm_64bit=1\nkernel=vmlinuz\ninitramfs initrd.img followkernel\n',
      [`${SERIAL}/bcm2711-rpi-4-b.dtb`]: 54_000,
      [`${SERIAL}/cmdline.txt`]: 'console=serial0,115200 root=/dev/ram0\n',
      // The last block of a file of whole blocks is empty.
      [`${SERIAL}/vmlinuz`]: 256 * 1_024,
      [`${SERIAL}/initrd.img`]: 1_000_000,
    });
    publish({ 'start4.elf': 'of others', 'cmdline.txt': 'of others' });
    const { address, server: from, files } = await boot(SERIAL);
    expect({ address, from }).toEqual({ address: '10.0.0.100', from: '10.0.0.1' });
    const missing = ['pieeprom.sig', 'recover4.elf', 'recovery.elf', 'overlays/overlay_map.dtb'];
    expect(files).toEqual({ ...own, ...Object.fromEntries(missing.map((name) => [`${SERIAL}/${name}`, null])) });
    // What it tries in vain is no boot that fails.
    await server.prints(new RegExp(`"mac":"${MAC}".*"event":"dhcp\\.ack","address":"10\\.0\\.0\\.100"`));
    expect(server.output()).not.toContain('tftp.failed');
  });

  it('that has no folder of its own boots from the top', async () => {
    await serving(LEASING);
    publish({ '0badcafe/start4.elf': 'of another' });
    const all = publish({
      'start4.elf': 100_000,
      'config.txt': 'arm_64bit=1\n',
      'cmdline.txt': 'quiet',
      'kernel8.img': 9,
    });
    const { files } = await boot(SERIAL);
    expect(files).toMatchObject({ [`${SERIAL}/start4.elf`]: null, ...all });
    expect(Object.values(files).filter((digest) => digest !== null)).toHaveLength(4);
  });

  it('beside another DHCP server has its address from that, and its files from here', async () => {
    await serving({ mode: 'proxy', subnets: [{ subnet: '10.0.0.0/24' }] });
    const words = 'dnsmasq -k --conf-file=/dev/null --port=0 --user=root --pid-file --log-facility=- --log-dhcp';
    const leases = ['--interface=eth0', '--dhcp-range=10.0.0.50,10.0.0.60', '--dhcp-broadcast', '--leasefile-ro'];
    const dnsmasq = net.start('leaf', [...words.split(' '), ...leases]);
    await dnsmasq.prints(/DHCP, IP range 10\.0\.0\.50/);
    const own = publish({ [`${SERIAL}/start4.elf`]: 4_096, [`${SERIAL}/kernel8.img`]: 70_000 });
    const booted = await boot(SERIAL);
    expect(booted).toMatchObject({ address: expect.stringMatching(/^10\.0\.0\.(?:5\d|60)$/), server: '10.0.0.1' });
    expect(booted.files).toMatchObject(own);
  });
});
