import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '@ingot/net';
import type { Clock } from '@ingot/net';
import { bmcRows } from './bmc/bmc-text.ts';
import { inspectBmc } from './bmc/configure-bmc.ts';
import { openIpmiDevice } from './bmc/ipmi-device.ts';
import type { Ipmi } from './bmc/ipmi.ts';
import { redfishHostInterfaces } from './bmc/redfish-host-interface.ts';
import { runCommand } from './command.ts';
import type { RunCommand } from './command.ts';
import { reasonOf } from './errors.ts';
import { inventoryLines } from './inventory-text.ts';
import { readDetails } from './inventory/details.ts';
import { openHangGuard } from './inventory/hang-guard.ts';
import { collectorNames, takeInventory } from './inventory/inventory.ts';
import { readSmbios } from './inventory/smbios.ts';
import type { Inventory } from './inventory/inventory.ts';
import { machineHardware } from './machine-hardware.ts';
import { openSysfs } from './sysfs.ts';
import type { Sysfs } from './sysfs.ts';
import { alignColumns } from './text-columns.ts';

export interface InventoryCommandParts {
  readonly run: RunCommand;
  readonly clock: Clock;
  /** Opens the device of the BMC at this path; throws when it cannot. */
  readonly openIpmi: (path: string) => Ipmi;
  /** Standard output. */
  readonly write: (data: string | Uint8Array) => void;
  readonly isTerminal: boolean;
  /** Standard error. */
  readonly complain: (line: string) => void;
}

export const inventoryUsage: string = `ingot-discovery inventory [--json | --protobuf] [--root DIR] [--timeout SECONDS] [--without PART…]
    what this machine, or the one whose root DIR looks like, is made of; root is told more
      --json      everything that was found out
      --protobuf  metalstack.api.v2.MachineHardware as the agent registers it, without neighbours
      --timeout   ends it when the kernel gives no answer, and says about which part; 30 by default
      --without   leaves a part out: ${collectorNames.join(', ')}
`;

export async function printInventory(args: readonly string[]): Promise<void> {
  // Whoever reads may have seen enough: `ingot-discovery inventory | head`.
  process.stdout.on('error', () => process.exit(1));
  process.exitCode = await inventoryCommand(args, {
    run: runCommand,
    clock: systemClock,
    openIpmi: (path) => openIpmiDevice(path, systemClock),
    write: (data) => void process.stdout.write(data),
    isTerminal: process.stdout.isTTY,
    complain: (line) => void process.stderr.write(`${line}\n`),
  });
}

/** @returns the exit status: 0 also with problems, which are named; 2 for arguments that are wrong */
export async function inventoryCommand(args: readonly string[], parts: InventoryCommandParts): Promise<number> {
  const options = parseOptions(args, parts.complain);
  if (options === undefined) return 2;
  const { json, protobuf, root, timeout, without } = options;
  const seconds = /^\d{1,4}$/.test(timeout) ? Number(timeout) : 0;
  const wrong =
    (json && protobuf && 'choose one of --json and --protobuf') ||
    (protobuf && parts.isTerminal && '--protobuf is binary: send it to a file or a program') ||
    (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true && `--root ${root}: no such directory`) ||
    (seconds === 0 && '--timeout takes seconds, 1 to 9999') ||
    unknownCollector(without);
  if (wrong !== false) {
    parts.complain(wrong);
    return 2;
  }
  const sysfs = openSysfs(root);
  const taken = takeGuarded(sysfs, seconds * 1000, without);
  // What programs say is about this machine, and not about the one whose files these are.
  const { signal } = new AbortController();
  const isThisMachine = resolve(root) === '/';
  const inventory = isThisMachine ? await readDetails(taken, { ...parts, signal }) : taken;
  const bmc = isThisMachine && !protobuf ? await inspectBmc({ ...parts, sysfs, signal }) : undefined;
  const redfish = redfishHostInterfaces(readSmbios(sysfs));
  if (protobuf) {
    parts.write(await encodeHardware(inventory));
    for (const problem of inventory.problems) parts.complain(problem);
  } else if (json) parts.write(`${JSON.stringify({ ...inventory, bmc, redfish }, idsAsHex, 2)}\n`);
  else {
    const controller = alignColumns(bmcRows(bmc, redfish));
    parts.write(`${inventoryLines(inventory, controller).join('\n')}\n`);
  }
  return 0;
}

const pciIds: ReadonlySet<string> = new Set([
  'vendorId',
  'deviceId',
  'subsystemVendorId',
  'subsystemDeviceId',
  'classId',
]);

/** As in sysfs, and as everybody looks for them. */
function idsAsHex(key: string, value: unknown): unknown {
  return typeof value === 'number' && pciIds.has(key) ? `0x${value.toString(16).padStart(4, '0')}` : value;
}

/** Ends this process at the deadline, when a reader waits for a device in the kernel. */
function takeGuarded(sysfs: Sysfs, deadlineMs: number, without: readonly string[]): Inventory {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-inventory-'));
  using guard = openHangGuard({ directory, keep: false, deadlineMs });
  return takeInventory(sysfs, { hung: without, enter: (collector) => guard.enter(collector) });
}

/** The API's package loads gRPC as well, which takes longer than an inventory. */
async function encodeHardware(inventory: Inventory): Promise<Uint8Array> {
  const { apiV2, create, toBinary } = await import('@ingot/api');
  const { MachineHardwareSchema } = apiV2;
  return toBinary(MachineHardwareSchema, create(MachineHardwareSchema, machineHardware(inventory, [])));
}

interface Options {
  readonly json: boolean;
  readonly protobuf: boolean;
  readonly root: string;
  readonly timeout: string;
  readonly without: readonly string[];
}

function unknownCollector(names: readonly string[]): string | false {
  const unknown = names.find((name) => !collectorNames.includes(name));
  return unknown !== undefined && `--without ${unknown}: there are ${collectorNames.join(', ')}`;
}

function parseOptions(args: readonly string[], complain: (line: string) => void): Options | undefined {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        protobuf: { type: 'boolean', default: false },
        root: { type: 'string', default: '/' },
        timeout: { type: 'string', default: '30' },
        without: { type: 'string', multiple: true, default: [] },
      },
    }).values;
  } catch (error) {
    complain(`${reasonOf(error)}\n${inventoryUsage}`);
    return undefined;
  }
}
