import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { apiV2, create, toBinary } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { RunCommand } from './command.ts';
import { reasonOf } from './errors.ts';
import { inventoryLines } from './inventory-text.ts';
import { readDetails } from './inventory/details.ts';
import { takeInventory } from './inventory/inventory.ts';
import { machineHardware } from './machine-hardware.ts';
import { openSysfs } from './sysfs.ts';

export interface InventoryCommandParts {
  readonly run: RunCommand;
  readonly clock: Clock;
  /** Standard output. */
  readonly write: (data: string | Uint8Array) => void;
  readonly isTerminal: boolean;
  /** Standard error. */
  readonly complain: (line: string) => void;
}

export const inventoryUsage = `ingot-discovery inventory [--json | --protobuf] [--root DIR]
    what this machine, or the one whose root DIR looks like, is made of; root is told more
      --json      everything that was found out
      --protobuf  metalstack.api.v2.MachineHardware as the agent registers it, without neighbours
`;

/** @returns the exit status: 0 also with problems, which are named; 2 for arguments that are wrong */
export async function inventoryCommand(args: readonly string[], parts: InventoryCommandParts): Promise<number> {
  const options = parseOptions(args, parts.complain);
  if (options === undefined) return 2;
  const { json, protobuf, root } = options;
  const wrong =
    (json && protobuf && 'choose one of --json and --protobuf') ||
    (protobuf && parts.isTerminal && '--protobuf is binary: send it to a file or a program') ||
    (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true && `--root ${root}: no such directory`);
  if (wrong !== false) {
    parts.complain(wrong);
    return 2;
  }
  const taken = takeInventory(openSysfs(root));
  // What programs say is about this machine, and not about the one whose files these are.
  const { signal } = new AbortController();
  const inventory = resolve(root) === '/' ? await readDetails(taken, { ...parts, signal }) : taken;
  if (protobuf) {
    const { MachineHardwareSchema } = apiV2;
    parts.write(toBinary(MachineHardwareSchema, create(MachineHardwareSchema, machineHardware(inventory, []))));
    for (const problem of inventory.problems) parts.complain(problem);
  } else parts.write(json ? `${JSON.stringify(inventory, null, 2)}\n` : `${inventoryLines(inventory).join('\n')}\n`);
  return 0;
}

function parseOptions(
  args: readonly string[],
  complain: (line: string) => void,
): { readonly json: boolean; readonly protobuf: boolean; readonly root: string } | undefined {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        protobuf: { type: 'boolean', default: false },
        root: { type: 'string', default: '/' },
      },
    }).values;
  } catch (error) {
    complain(`${reasonOf(error)}\n${inventoryUsage}`);
    return undefined;
  }
}
