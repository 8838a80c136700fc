import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFirmwareRack, subnet } from './firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack } from './firmware-rack.ts';
import { markerLine, parseMarker } from './marker-initrd.ts';
import { leftovers } from './rack-under-test.ts';

const rackName = 'fw6';
let rack: FirmwareRack;
let server: BootServerUnderTest;

beforeAll(async () => {
  rack = await createFirmwareRack(rackName, '2001:db8:1::/64');
  server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: {
      // Nothing is there for IPv4 on this link.
      dhcp: { listen: ['10.0.0.1'], subnets: [subnet(1, '100', '199')] },
      dhcp6: {
        listen: ['2001:db8:1::1'],
        subnets: [{ subnet: '2001:db8:1::/64', interface: 'br0', pool: '2001:db8:1::1000-2001:db8:1::1fff' }],
      },
      http: { listen: ['10.0.0.1:8080', '[::]:8081'] },
    },
  });
}, 600_000);
afterAll(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

/** iPXE waits 16 s for an answer over IPv4 besides, and EDK2's HTTP boot a minute and a half before it tries IPv6. */
const BOOT_TIMEOUT_MS = 270_000;

test('OVMF boots by PXE over IPv6 alone: DHCPv6, TFTP, the script, the kernel', async () => {
  const machine = await rack.createMachine('pxe6', 'uefi-ipv6', ['management']);
  await machine.machine.on();
  const marker = parseMarker(await machine.machine.says(markerLine, BOOT_TIMEOUT_MS));
  expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
  expect(marker.cmdline).toContain('PIXIE_API_URL=http://[2001:db8:1::1]:8081/config/');
  expect(server.story(machine.mac)).toEqual(
    expect.arrayContaining(['dhcp6.advertise', 'dhcp6.reply', 'tftp.done', 'http.script', 'http.file', 'http.booting']),
  );
});

test('OVMF loads iPXE by UEFI HTTP boot over IPv6', async () => {
  const machine = await rack.createMachine('http6', 'uefi-http', ['management']);
  await machine.machine.on();
  await machine.machine.says(/URI: http:\/\/\[2001:db8:1::1\]:8081\/boot\/[\w-]+\/snponly\.efi/, BOOT_TIMEOUT_MS);
  await machine.machine.says(/iPXE initialising devices/, BOOT_TIMEOUT_MS);
  const story = server.story(machine.mac);
  expect(story).toEqual(expect.arrayContaining(['dhcp6.advertise', 'dhcp6.reply', 'http.file']));
  expect(story).not.toContain('tftp.start');
  await machine.machine.off();
});
