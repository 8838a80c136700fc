import { fieldsOf } from './smbios.ts';
import type { SmbiosStructure } from './smbios.ts';

/** A socket that has a processor (SMBIOS type 4). */
export interface SmbiosProcessor {
  /** As printed on the board: `CPU1`. */
  readonly slot: string;
  readonly manufacturer: string;
  /** The model, as the firmware words it. */
  readonly version: string;
  /** What it is made for at most in this socket; 0 when unknown. */
  readonly maxMhz: number;
}

const processorInformation = 4;
const centralProcessor = 3;
const populated = 0x40; // bit 6 of the status, DSP0134 7.5.4

/** Populated sockets of central processors, in the table's order. */
export function smbiosProcessors(structures: readonly SmbiosStructure[]): SmbiosProcessor[] {
  return structures
    .filter(({ type }) => type === processorInformation)
    .map(fieldsOf)
    .filter((fields) => fields.byte(0x05) === centralProcessor && (fields.byte(0x18) & populated) !== 0)
    .map((fields) => ({
      slot: fields.text(0x04),
      manufacturer: fields.text(0x07),
      version: fields.text(0x10),
      maxMhz: fields.word(0x14),
    }));
}
