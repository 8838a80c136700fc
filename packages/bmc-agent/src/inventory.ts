import { readFile } from 'node:fs/promises';
import { parseYamlDocument, readSecretFile } from '@ingot/daemon';
import { z } from 'zod';
import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';

/** A machine whose BMC an operator has written down. */
export interface InventoryMachine {
  readonly uuid: string;
  /** `host:port`; without a host (`:623`) it is where the MAC address has a lease. */
  readonly address: string;
  readonly mac: string;
  readonly user: string;
  readonly password: string;
  readonly interface: 'lanplus' | 'redfish';
}

export const MAX_MACHINES = 10_000;

const inventory = z
  .array(
    z.strictObject({
      uuid: z.uuid(),
      address: z
        .string()
        .regex(/^.+:\d{1,5}$/, 'host:port')
        .optional(),
      mac: z.string().regex(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i, 'a MAC address such as 52:54:00:12:34:56'),
      user: z.string().min(1).max(256),
      passwordFile: z.string().startsWith('/'),
      interface: z.enum(['lanplus', 'redfish']).default('lanplus'),
    }),
  )
  .max(MAX_MACHINES)
  .refine((machines) => new Set(machines.map(({ uuid }) => uuid.toLowerCase())).size === machines.length, {
    error: 'names a machine twice',
  });

/**
 * Reads the inventory and the passwords that it names. Rejects with BmcError `BMC_INVENTORY`, which names line and column,
 * or with DaemonError for a password file.
 */
export async function readInventory(file: string): Promise<readonly InventoryMachine[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new BmcError(BmcErrorCode.Inventory, `${reasonOf(error)}; correct inventory.file`, error);
  }
  const parsed = parseYamlDocument(file, text, inventory);
  if (!parsed.ok) throw new BmcError(BmcErrorCode.Inventory, parsed.problems.join('; '));
  const machines: InventoryMachine[] = [];
  for (const { passwordFile, address, ...known } of parsed.value) {
    const port = known.interface === 'redfish' ? 443 : 623;
    machines.push({ ...known, address: address ?? `:${port}`, password: await readSecretFile(passwordFile) });
  }
  return machines;
}
