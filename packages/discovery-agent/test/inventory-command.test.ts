import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { apiV2, create, fromBinary, infraV2, toBinary, validate } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { runCommand } from '../src/command.ts';
import { inventoryCommand } from '../src/inventory-command.ts';
import { inventoryLines } from '../src/inventory-text.ts';
import type { Disk } from '../src/inventory/disks/disk.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import { registerRequest } from '../src/life/register-request.ts';
import { openSysfs } from '../src/sysfs.ts';
import { machines } from './machines/all.ts';
import { xeonOneSocket } from './machines/xeon-one-socket.ts';
import { plant } from './tree.ts';

interface Run {
  readonly status: number;
  readonly output: Buffer;
  readonly complaints: readonly string[];
}

async function run(args: readonly string[], isTerminal = false): Promise<Run> {
  const written: (string | Uint8Array)[] = [];
  const complaints: string[] = [];
  const status = await inventoryCommand(args, {
    run: runCommand,
    clock: systemClock,
    openIpmi: () => {
      throw new Error('tests talk to no BMC');
    },
    write: (data) => void written.push(data),
    complain: (line) => void complaints.push(line),
    isTerminal,
  });
  return { status, output: Buffer.concat(written.map((data) => Buffer.from(data))), complaints };
}

test('as text it is aligned and names everything that a person asks for', async () => {
  using machine = plant(xeonOneSocket);
  const { status, output } = await run(['--root', machine.root]);
  expect(status).toBe(0);
  await expect(output.toString()).toMatchFileSnapshot('goldens/xeon-one-socket.txt');
});

test.each(Object.entries(machines))('%s registers what --protobuf prints, and the API takes it', async (_, tree) => {
  using machine = plant(tree);
  const { output } = await run(['--protobuf', '--root', machine.root]);
  const inventory = takeInventory(openSysfs(machine.root));
  const request = create(
    infraV2.BootServiceRegisterRequestSchema,
    registerRequest({
      uuid: '4c4c4544-0042-3510-8052-b4c04f4e3332',
      partition: 'fra-equ01',
      version: '1',
      inventory,
      neighbors: [],
      bmc: { kind: 'none' },
    }),
  );
  expect(validate(infraV2.BootServiceRegisterRequestSchema, request, 0)).toEqual([]);
  const hardware = fromBinary(apiV2.MachineHardwareSchema, output);
  expect(hardware).toEqual(request.hardware);
  expect(hardware.cpus.length).toBeGreaterThan(0);
  expect(Buffer.from(toBinary(apiV2.MachineHardwareSchema, hardware))).toEqual(output);
});

test('a screen of a BMC or of a processor is no GPU of the message, and eight H100 are eight', async () => {
  const gpusOf = async (name: string): Promise<string[]> => {
    using machine = plant(machines[name] ?? {});
    const { output } = await run(['--protobuf', '--root', machine.root]);
    return fromBinary(apiV2.MachineHardwareSchema, output).gpus.map(({ vendor, model }) => `${vendor} ${model}`);
  };
  expect(await gpusOf('xeon-one-socket')).toEqual([]);
  expect(await gpusOf('xeon-two-sockets')).toEqual(['NVIDIA Corporation TU104GL [Tesla T4]']);
  expect(await gpusOf('epyc-eight-gpus')).toEqual(Array(8).fill('NVIDIA Corporation GH100 [H100 SXM5 80GB]'));
});

test('what is missing is said beside the message, not in it', async () => {
  using machine = plant({});
  const { status, complaints } = await run(['--protobuf', '--root', machine.root]);
  expect(status).toBe(0);
  expect(complaints).toContain('memory: neither memory blocks nor /proc/meminfo');
});

test.each([
  [['--protobuf'], true, '--protobuf is binary: send it to a file or a program'],
  [['--protobuf', '--json'], false, 'choose one of --json and --protobuf'],
  [['--root', '/does/not/exist'], false, '--root /does/not/exist: no such directory'],
  [['--xml'], false, "Unknown option '--xml'"],
  [['eth0'], false, "Unexpected argument 'eth0'"],
])('%j is refused, with what to do', async (args, isTerminal, why) => {
  const { status, output, complaints } = await run(args, isTerminal);
  expect(status).toBe(2);
  expect(output).toHaveLength(0);
  expect(complaints.join()).toContain(why);
});

/** Runs the program, whatever it ends with. */
async function program(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  return await promisify(execFile)(process.execPath, [main, ...args]);
}

test('the program prints JSON of a root, with ids as sysfs has them, and nothing of a BMC that it cannot ask', async () => {
  using machine = plant(xeonOneSocket);
  const { stdout } = await program('inventory', '--json', '--root', machine.root);
  const printed: unknown = JSON.parse(stdout);
  expect(printed).toMatchObject({ firmware: { board: { name: 'X12STL-F' } }, problems: [] });
  expect(printed).toMatchObject({ pci: expect.arrayContaining([expect.objectContaining({ vendorId: '0x8086' })]) });
  expect(printed).not.toHaveProperty('bmc');
});

test.each([[['--help']], [['inventory', '--help']], [['wipe', '-h']]])('%j says how it is used', async (args) => {
  const { stdout, stderr } = await program(...args);
  expect(stdout).toMatch(/ingot-discovery inventory \[[\s\S]*ingot-discovery wipe --dry-run/);
  expect(stderr).toBe('');
});

test.each([
  [['wipe', '--all'], /Unknown option '--all'.*--help says more/],
  [['wipe', '--dry-run', '--root', '/does/not/exist'], /no such directory/],
  [['inventry'], /ingot-discovery inventory/],
])('%j ends with status 2 and says why', async (args, why) => {
  await expect(program(...args)).rejects.toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(why) });
});

test('what a disk says of itself is in its line, and a virtual one does not rotate', () => {
  using machine = plant(xeonOneSocket);
  const inventory = takeInventory(openSysfs(machine.root));
  const [sda, sdb] = inventory.disks;
  if (sda === undefined || sdb === undefined) throw new Error('two disks were planted');
  const smart = { ok: true, value: { percentageUsed: 3, temperatureCelsius: 38 } } as const;
  const failed = { ok: false, reason: 'no' } as const;
  const disks: readonly Disk[] = [
    { ...sda, smart },
    { ...sdb, smart: failed, rotational: true },
    { ...sdb, name: '/dev/vda', transport: 'virtio', rotational: true },
  ];
  const lines = inventoryLines({ ...inventory, disks }, ['BMC  none']);
  const line = (disk: string): string => lines.find((each) => each.includes(`${disk} `)) ?? '';
  expect(line('/dev/sda')).toMatch(/serial S664NN0T500000 +firmware 404Q +3 % worn, 38 °C/);
  expect(line('/dev/sdb')).toContain('rotating');
  expect(line('/dev/vda')).not.toContain('rotating');
  expect(lines).toContain('BMC  none');
});
