// Captures what real firmware sends, for the golden tests of packages/wire: a BIOS and a UEFI boot in the virtual rack,
// seen at the boot server's bridge and at the leaf's port. As root: node test/goldens/capture-firmware.ts
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Firmware } from '@ingot/lab';
import { createRack, onlyMachine } from '../e2e/rack-under-test.ts';
import prepareImage, { root } from '../support/image.ts';

const goldens = join(root, 'packages/wire/test/goldens');
/** DHCP, PXE and the requests of TFTP; the blocks of TFTP go to other ports and are left out. */
const bootFilter = 'udp and (port 67 or port 68 or port 69 or port 4011)';
const lldpFilter = 'ether proto 0x88cc';

/** Starts tcpdump in a namespace; `stop` ends it with everything written. */
function capture(namespace: string, device: string, filter: string, file: string): { stop(): Promise<void> } {
  const child = spawn(
    'ip',
    ['netns', 'exec', namespace, 'tcpdump', '-i', device, '-s', '0', '-U', '-n', '-Z', 'root', '-w', join(goldens, file), filter],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function captureBoot(firmware: Firmware): Promise<void> {
  const name = `g${firmware}`;
  await using rig = await createRack(name, { machine: { firmware } });
  const machine = onlyMachine(rig);
  const [nic] = machine.identity.nics;
  const captures = [
    capture(`ingot-${name}-mgmt`, 'br0', bootFilter, `${firmware}-relayed-boot.pcap`),
    capture(`ingot-${name}-${nic.leaf}`, nic.port.name, bootFilter, `${firmware}-client-side.pcap`),
    capture(`ingot-${name}-${nic.leaf}`, nic.port.name, lldpFilter, `${firmware}-lldp.pcap`),
  ];
  await sleep(1000); // tcpdump says nothing when it is ready
  await machine.power.on();
  const problem = await rig.rack.untilWaiting(machine, 300_000, new AbortController().signal);
  for (const running of captures) await running.stop();
  if (problem !== undefined) throw new Error(problem);
}

prepareImage();
for (const firmware of ['bios', 'uefi'] as const) await captureBoot(firmware);
