import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@ingot/lab';
import type { Firmware, Namespace } from '@ingot/lab';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFirmwareRack } from '../e2e/firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack, Leaf } from '../e2e/firmware-rack.ts';
import { dhcpd, dnsmasq, kea, startForeignDhcp } from '../e2e/foreign-dhcp.ts';
import type { ForeignDhcpSpec } from '../e2e/foreign-dhcp.ts';
import { grubConfiguration } from '../e2e/grub-files.ts';
import { leftovers } from '../e2e/rack-under-test.ts';

const rackName = 'proxy';
const ownAddress = '10.0.0.1';
const foreignAddress = '10.0.0.2';
/** U-Boot for QEMU has it built in, and does not ask the card. */
const uBootMac = '52:52:52:52:52:52';
const proxy = (address: string, capture = false): Readonly<Record<string, unknown>> => ({
  listen: [address],
  mode: 'proxy',
  capture,
  subnets: [{ subnet: '10.0.1.0/24' }],
});

let rack: FirmwareRack;
beforeEach(async () => {
  rack = await createFirmwareRack(rackName);
});
afterEach(async () => {
  await rack[Symbol.asyncDispose]();
});
afterAll(() => expect(leftovers(rackName)).toEqual([]));

/** dnsmasq on a host of its own on the management link. */
async function startDnsmasq(words: readonly string[] = []): Promise<void> {
  const { bench, management } = rack;
  const host = await bench.createNamespace('dhcp');
  await connect(management, 'dhcp', host, 'eth0');
  await management.ip('link set dhcp master br0');
  await host.ip(`addr add ${foreignAddress}/24 dev eth0`);
  await host.ip('route add 10.0.1.0/24 via 10.0.0.11');
  await startForeignDhcp(bench, host, dnsmasq(bench.directory, foreignAddress, words));
}

async function expectBoot(server: BootServerUnderTest, leaf: Leaf, firmware: Firmware): Promise<void> {
  const machine = await rack.createMachine(firmware, firmware, [leaf]);
  expect((await machine.boots()).uuid).toBe(machine.machine.uuid);
  expect(server.story(machine.mac)).toContain('http.booting');
  expect(server.story(machine.mac)).not.toContain('dhcp.ack');
}

describe('a boot server in proxy mode that starts after the other DHCP server of its host', () => {
  const others: readonly (readonly [string, boolean, () => ForeignDhcpSpec])[] = [
    ['dnsmasq, below its sockets', true, () => dnsmasq(rack.bench.directory, foreignAddress)],
    ['Kea on an address of its own', false, () => kea(rack.bench.directory, foreignAddress)],
    ['ISC dhcpd on the same address', false, () => dhcpd(rack.bench.directory)],
  ];
  test.each(others)('boots OVMF beside %s', async (_name, capture, spec) => {
    await rack.management.ip(`addr add ${foreignAddress}/24 dev br0`);
    const foreign = await startForeignDhcp(rack.bench, rack.management, spec());
    const server = await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: ownAddress,
      change: { dhcp: proxy(ownAddress, capture) },
    });
    const leaf = await rack.createLeaf(1, [ownAddress, foreignAddress]);
    await expectBoot(server, leaf, 'uefi');
    await foreign.part.stop();
  });
});

// GRUB takes its server from the lease alone, and so does U-Boot as Debian builds it: dnsmasq would name itself there.
describe('a boot server in proxy mode that hands out shim and GRUB, named in the leases of dnsmasq', () => {
  const cases = [
    ['uefi-secure-boot', '', 'profile=secure-boot', 'enabled'],
    ['u-boot-arm64', 'grubaa64.efi', 'profile=arm64', 'disabled'],
  ] as const;
  test.each(cases)('boots %s', async (firmware, file, cmdline, secureboot) => {
    await startDnsmasq([`--dhcp-boot=${file},,${ownAddress}`]);
    const server = await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: ownAddress,
      change: { dhcp: proxy(ownAddress), ...grubConfiguration(rack.bench.directory) },
    });
    const leaf = await rack.createLeaf(1, [ownAddress, foreignAddress]);
    const machine = await rack.createMachine(firmware, firmware, [leaf]);
    const marker = await machine.boots();
    expect(marker.cmdline).toContain(cmdline);
    expect(marker.secureboot).toBe(secureboot);
    const mac = firmware === 'u-boot-arm64' ? uBootMac : machine.mac;
    expect(server.story(mac)).toContain('http.booting');
    expect(server.story(mac)).not.toContain('dhcp.ack');
  });
});

describe('two boot servers in proxy mode beside dnsmasq', () => {
  test.each(['tftp.start', 'http.script'])(
    'boot OVMF although the one that serves it is killed after %s',
    async (event) => {
      const { bench, management } = rack;
      const second = await bench.createNamespace('mgmt2');
      await connect(management, 'mgmt2', second, 'eth0');
      await management.ip('link set mgmt2 master br0');
      await second.ip('addr add 10.0.0.3/24 dev eth0');
      await second.ip('route add 10.0.1.0/24 via 10.0.0.11');
      await startDnsmasq();
      const key = join(bench.directory, 'signing.key');
      writeFileSync(key, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
      const start = (name: string, namespace: Namespace, address: string, peer: string): Promise<BootServerUnderTest> =>
        rack.startBootServer({
          name,
          namespace,
          address,
          change: {
            boot: { peers: [`http://${peer}:8080`] },
            http: { listen: `${address}:8080`, signing: { keyFile: key } },
            dhcp: proxy(address),
          },
        });
      const servers = [
        await start('boot-server-1', management, ownAddress, '10.0.0.3'),
        await start('boot-server-2', second, '10.0.0.3', ownAddress),
      ];
      const leaf = await rack.createLeaf(1, [ownAddress, '10.0.0.3', foreignAddress]);
      const machine = await rack.createMachine('uefi', 'uefi', [leaf]);
      const booted = machine.boots(300_000);
      booted.catch(() => undefined);
      const victim = await vi.waitFor(
        () => {
          const serving = servers.find((server) => server.story(machine.mac).includes(event));
          if (serving === undefined) throw new Error(`no boot server came to ${event}`);
          return serving;
        },
        { timeout: 120_000, interval: 20 },
      );
      await victim.kill();
      expect((await booted).uuid).toBe(machine.machine.uuid);
      const [survivor] = servers.filter((server) => server !== victim);
      expect(survivor?.story(machine.mac)).toContain('http.booting');
    },
  );
});
