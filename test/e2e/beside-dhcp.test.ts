import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Firmware } from '@ingot/lab';
import { createFirmwareRack } from './firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack, Leaf } from './firmware-rack.ts';
import { dhcpd, dnsmasq, kea, startForeignDhcp } from './foreign-dhcp.ts';
import type { ForeignDhcpSpec } from './foreign-dhcp.ts';
import { leftovers } from './rack-under-test.ts';

const rackName = 'beside';
const ownAddress = '10.0.0.1';
const foreignAddress = '10.0.0.2';

describe('a boot server in proxy mode on the host of another DHCP server', () => {
  let rack: FirmwareRack;
  let server: BootServerUnderTest;
  let leaf: Leaf;
  beforeAll(async () => {
    rack = await createFirmwareRack(rackName);
    await rack.management.ip(`addr add ${foreignAddress}/24 dev br0`);
    server = await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: ownAddress,
      change: { dhcp: { listen: [ownAddress], mode: 'proxy', subnets: [{ subnet: '10.0.1.0/24' }] } },
    });
    leaf = await rack.createLeaf(1, [ownAddress, foreignAddress]);
  });
  afterAll(async () => {
    await rack[Symbol.asyncDispose]();
    expect(leftovers(rackName)).toEqual([]);
  });

  /** One machine of each firmware, all at once. */
  async function expectBoots(spec: ForeignDhcpSpec, firmwares: readonly Firmware[] = ['uefi', 'bios']): Promise<void> {
    const foreign = await startForeignDhcp(rack.bench, rack.management, spec);
    try {
      const machines = await Promise.all(
        firmwares.map((firmware) => rack.createMachine(`${spec.name}-${firmware}`, firmware, [leaf])),
      );
      const markers = await Promise.all(machines.map((machine) => machine.boots()));
      expect(markers.map(({ uuid }) => uuid)).toEqual(machines.map(({ machine }) => machine.uuid));
      for (const { mac } of machines) {
        expect(foreign.said.join('\n')).toContain(mac);
        expect(server.story(mac)).toContain('http.booting');
        // The other one leases, it does not.
        expect(server.story(mac)).not.toContain('dhcp.ack');
      }
    } finally {
      await foreign.part.stop();
    }
  }

  test('boots OVMF, OVMF by HTTP and SeaBIOS beside dnsmasq on an address of its own', async () => {
    await expectBoots(dnsmasq(rack.bench.directory, foreignAddress), ['uefi', 'uefi-http', 'bios']);
  });

  test('boots OVMF and SeaBIOS beside Kea on an address of its own', async () => {
    await expectBoots(kea(rack.bench.directory, foreignAddress));
  });

  test('boots OVMF and SeaBIOS beside ISC dhcpd on the same address', async () => {
    await expectBoots(dhcpd(rack.bench.directory));
  });
});
