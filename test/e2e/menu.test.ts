import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFirmwareRack } from './firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack, MachineUnderTest } from './firmware-rack.ts';
import { buildMarkerInitrd, markerLine, parseMarker } from './marker-initrd.ts';
import { image } from '../support/image.ts';
import { leftovers } from './rack-under-test.ts';

const rackName = 'menu';
const ARROW_DOWN = '\u001B[B';
const ENTER = '\r';

let rack: FirmwareRack;
let server: BootServerUnderTest;
beforeAll(async () => {
  rack = await createFirmwareRack(rackName);
  const initrd = buildMarkerInitrd('initrd-amd64', '/bin/busybox');
  const entries = [
    { profile: 'repair', label: 'Wait for the repair' },
    { profile: 'marker', label: 'Boot the marker' },
  ];
  server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: {
      sources: {
        profiles: {
          inline: [
            {
              name: 'choice',
              match: { arch: 'bios' },
              menu: { title: 'What shall it be', timeoutSeconds: 8, entries },
            },
            { name: 'repair', match: { mac: '02:00:00:00:00:01' }, boot: 'hold', message: 'Memory is being replaced.' },
            {
              name: 'marker',
              match: { mac: '02:00:00:00:00:02' },
              kernel: image.kernel,
              initrd,
              cmdline: 'quiet chosen=marker',
            },
          ],
        },
      },
    },
  });
}, 600_000);
afterAll(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

const timeoutMs = 240_000;

async function chooses({ machine }: MachineUnderTest): Promise<void> {
  await machine.on();
  await machine.says(/What shall it be/, timeoutMs);
  await machine.says(/Boot the marker/, timeoutMs);
  machine.types(`${ARROW_DOWN}${ENTER}`);
  expect(parseMarker(await machine.says(markerLine, timeoutMs)).cmdline).toContain('chosen=marker');
}

async function isLeftAlone({ machine }: MachineUnderTest): Promise<void> {
  await machine.on();
  await machine.says(/Wait for the repair/, timeoutMs);
  await machine.says(/^Memory is being replaced\.$/, timeoutMs);
  await machine.off();
}

test("the iPXE in a network card shows the menu: a key chooses an entry; nobody's key takes the first, a hold with its message", async () => {
  const chosen = await rack.createMachine('chosen', 'bios', ['management']);
  const alone = await rack.createMachine('alone', 'bios', ['management']);
  await Promise.all([chooses(chosen), isLeftAlone(alone)]);
  expect(server.story(chosen.mac)).toContain('http.booting');
  expect(server.story(alone.mac)).not.toContain('http.file');
});
