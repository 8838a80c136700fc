import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sysfs } from '../sysfs.ts';

const directory = '/sys/firmware/efi/efivars';
/** EFI_GLOBAL_VARIABLE, UEFI 2.10, section 3.3. */
const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const attributeBytes = 4;
/** Non-volatile, boot service and runtime access. */
const attributes = 7;
/** LOAD_OPTION_ACTIVE, section 3.1.3. */
const active = 1;

/** Device path nodes by type and subtype, section 10.3. */
const diskNodes: ReadonlySet<string> = new Set([
  '3.1', // ATAPI
  '3.2', // SCSI
  '3.18', // SATA
  '3.23', // NVMe
  '3.10', // vendor, SAS among others
  '3.22', // SAS Ex
  '3.29', // eMMC
  '4.1', // hard drive: what an installed system's own entry begins with
]);
/** Optical, and what leads into the network: MAC, IPv4, IPv6, URI. */
const otherNodes: ReadonlySet<string> = new Set(['4.2', '3.11', '3.12', '3.13', '3.24']);

/**
 * Has UEFI start the machine's own disk once: `BootNext` becomes the first entry of `BootOrder` that leads to a disk, and
 * is not the one that booted this system.
 *
 * @returns the entry's name, `undefined` when there is none, or no UEFI. Throws when the variable cannot be written.
 */
export function bootNextDisk(sysfs: Sysfs): string | undefined {
  const read = (name: string): Buffer | undefined => {
    const bytes = sysfs.bytes(`${directory}/${name}-${globalVariable}`);
    return bytes === undefined || bytes.length < attributeBytes
      ? undefined
      : Buffer.from(bytes).subarray(attributeBytes);
  };
  const numbers = (bytes: Buffer | undefined): number[] =>
    Array.from({ length: Math.floor((bytes?.length ?? 0) / 2) }, (_, index) => bytes?.readUInt16LE(index * 2) ?? 0);
  const [current] = numbers(read('BootCurrent'));
  for (const number of numbers(read('BootOrder'))) {
    const option = number === current ? undefined : parseLoadOption(read(`Boot${hex(number)}`));
    if (option === undefined || !option.leadsToDisk) continue;
    const value = Buffer.alloc(attributeBytes + 2);
    value.writeUInt32LE(attributes);
    value.writeUInt16LE(number, attributeBytes);
    // One write call: the kernel takes a whole variable or none.
    writeFileSync(join(sysfs.root, directory, `BootNext-${globalVariable}`), value);
    return option.name;
  }
  return undefined;
}

interface LoadOption {
  readonly name: string;
  readonly leadsToDisk: boolean;
}

/** EFI_LOAD_OPTION. Undefined for what is none, and for entries that are switched off. */
export function parseLoadOption(bytes: Buffer | undefined): LoadOption | undefined {
  const headBytes = 6;
  if (bytes === undefined || bytes.length < headBytes || (bytes.readUInt32LE(0) & active) === 0) return undefined;
  const pathBytes = bytes.readUInt16LE(4);
  let end = headBytes;
  while (end + 1 < bytes.length && bytes.readUInt16LE(end) !== 0) end += 2;
  const path = bytes.subarray(end + 2, end + 2 + pathBytes);
  if (path.length < pathBytes) return undefined;
  const nodes = devicePathNodes(path);
  return {
    name: bytes.toString('utf16le', headBytes, end),
    leadsToDisk: nodes.some((node) => diskNodes.has(node)) && !nodes.some((node) => otherNodes.has(node)),
  };
}

const endNode = 0x7f;

/** `type.subtype` of each node up to the end; what follows a node that makes no sense is left out. */
function devicePathNodes(path: Buffer): string[] {
  const nodes: string[] = [];
  let at = 0;
  while (at + 4 <= path.length) {
    const length = path.readUInt16LE(at + 2);
    const type = (path[at] ?? 0) & endNode;
    if (type === endNode || length < 4) break;
    nodes.push(`${type}.${path[at + 1] ?? 0}`);
    at += length;
  }
  return nodes;
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(4, '0');
}
