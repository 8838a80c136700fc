import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@ingot/lab';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFirmwareRack, subnet } from '../e2e/firmware-rack.ts';
import type { FirmwareRack } from '../e2e/firmware-rack.ts';
import { startForeignDhcp } from '../e2e/foreign-dhcp.ts';
import { markerLine, parseMarker } from '../e2e/marker-initrd.ts';
import { leftovers } from '../e2e/rack-under-test.ts';

const rackName = 'kea6';
const prefix = '2001:db8:1::/64';
/** iPXE waits 16 s for an answer over IPv4 besides. */
const bootTimeoutMs = 270_000;

let rack: FirmwareRack;
beforeAll(async () => {
  rack = await createFirmwareRack(rackName, prefix);
}, 600_000);
afterAll(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

/** Kea leases from a host of its own on the same link, and says nothing of booting. */
async function startKea6(): Promise<readonly string[]> {
  const { bench, management } = rack;
  const namespace = await bench.createNamespace('kea6');
  await connect(management, 'kea6', namespace, 'eth0');
  await management.ip('link set kea6 master br0');
  await namespace.ip('-6 addr add 2001:db8:1::2/64 dev eth0 nodad');
  const home = join(bench.directory, 'kea6');
  mkdirSync(home);
  const config = {
    Dhcp6: {
      // The link's own address is checked for duplicates at first.
      'interfaces-config': {
        interfaces: ['eth0'],
        'service-sockets-max-retries': 20,
        'service-sockets-retry-wait-time': 250,
      },
      'server-id': { type: 'LL', persist: false },
      'lease-database': { type: 'memfile', persist: false },
      'preferred-lifetime': 600,
      'valid-lifetime': 600,
      // iPXE takes no second server's word: Kea has to name the script that leads it to the boot server.
      'client-classes': [
        {
          name: 'iPXE',
          test: "substring(option[15].hex,2,4) == 'iPXE'",
          'option-data': [{ name: 'bootfile-url', data: 'http://[2001:db8:1::1]:8081/boot/autoexec.ipxe' }],
        },
      ],
      subnet6: [{ id: 1, subnet: prefix, interface: 'eth0', pools: [{ pool: '2001:db8:1::2000 - 2001:db8:1::2fff' }] }],
      loggers: [{ name: 'kea-dhcp6', output_options: [{ output: 'stdout' }], severity: 'INFO' }],
    },
  };
  const file = join(home, 'kea-dhcp6.json');
  writeFileSync(file, JSON.stringify(config));
  const { said } = await startForeignDhcp(bench, namespace, {
    name: 'kea6-server',
    ready: /DHCP6_STARTED/,
    argv: ['kea-dhcp6', '-c', file],
    env: { KEA_PIDFILE_DIR: home, KEA_LOCKFILE_DIR: home },
  });
  return said;
}

test('OVMF boots by PXE over IPv6 with an address of Kea and what to boot of a boot server in mode boot-only', async () => {
  const said = await startKea6();
  const server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: {
      // Nothing is there for IPv4 on this link.
      dhcp: { listen: ['10.0.0.1'], subnets: [subnet(1, '100', '199')] },
      dhcp6: { listen: ['2001:db8:1::1'], subnets: [{ subnet: prefix, interface: 'br0', mode: 'boot-only' }] },
      http: { listen: ['10.0.0.1:8080', '[::]:8081'] },
    },
  });
  const { machine, mac } = await rack.createMachine('pxe6', 'uefi-ipv6', ['management']);
  await machine.on();
  const marker = parseMarker(await machine.says(markerLine, bootTimeoutMs));
  expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.uuid });
  expect(said.join('\n')).toMatch(/2001:db8:1::2[0-9a-f]{3}/);
  expect(server.story(mac)).toEqual(expect.arrayContaining(['tftp.done', 'http.script', 'http.booting']));
});
