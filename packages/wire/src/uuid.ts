import { brand } from './brand.ts';
import type { Branded } from './brand.ts';
import { byteAt, HEX } from './bytes.ts';
import { accept, malformed } from './result.ts';
import type { Decoded } from './result.ts';

/** A machine's SMBIOS UUID in lowercase: `4b37128e-6e72-4a8d-87da-8ad4d775582c`. */
export type MachineUuid = Branded<'MachineUuid'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Where the byte for each text position sits on the wire. SMBIOS (DSP0134 §7.2.1) and so DHCP option 97 send the
 * first three fields little-endian.
 */
const WIRE_ORDER: readonly number[] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** Reads the usual text form in either case. */
export function parseMachineUuid(text: string): Decoded<MachineUuid> {
  if (!UUID.test(text)) return malformed(0, `${JSON.stringify(text)} is no UUID`);
  return accept(brand<'MachineUuid'>(text.toLowerCase()));
}

/** Reads 16 bytes as SMBIOS and option 97 order them: first three fields little-endian. The bytes are left as they are. */
export function machineUuidOfBytes(bytes: Uint8Array): Decoded<MachineUuid> {
  if (bytes.length !== 16) return malformed(0, `a UUID has 16 bytes, not ${bytes.length}`);
  let hex = '';
  for (const from of WIRE_ORDER) hex += HEX[byteAt(bytes, from)];
  const text = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return accept(brand<'MachineUuid'>(text));
}

/** The reverse of {@link machineUuidOfBytes}. */
export function bytesOfMachineUuid(uuid: MachineUuid): Uint8Array {
  const digits = uuid.replaceAll('-', '');
  const bytes = new Uint8Array(16);
  WIRE_ORDER.forEach((to, position) => {
    bytes[to] = Number.parseInt(digits.slice(position * 2, position * 2 + 2), 16);
  });
  return bytes;
}

/**
 * Whether it is no machine's: all zeros say that there is no UUID, all ones that none was set yet (DSP0134 §7.2.1). Whole
 * series of boards come so, and each of them would be the same machine.
 */
export function isUnsetUuid(uuid: string): boolean {
  return /^(?:[0-]+|[f-]+)$/i.test(uuid);
}
