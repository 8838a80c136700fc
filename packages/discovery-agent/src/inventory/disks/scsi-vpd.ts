/** Vital product data pages, as the kernel keeps them in `vpd_pg…`. Bytes of the device: anything may be in them. */

const header = 4;

function pageOf(bytes: Uint8Array | undefined, code: number): Uint8Array | undefined {
  if (bytes === undefined || bytes.length < header || bytes[1] !== code) return undefined;
  const length = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  return bytes.subarray(0, header + length);
}

/** "Unit Serial Number" page, SPC-4 7.8.18; empty when there is none. */
export function vpdSerial(bytes: Uint8Array | undefined): string {
  const page = pageOf(bytes, 0x80);
  return page === undefined ? '' : latin(page.subarray(header));
}

interface AtaIdentity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
}

const identifyAt = 60;
/** 256 words. */
const identifyEnd = identifyAt + 512;
/** IDENTIFY DEVICE, as opposed to IDENTIFY PACKET DEVICE of an optical drive. */
const identifyDevice = 0xec;

/**
 * "ATA Information" page, SAT-3 12.4.2: what a SATA disk says of itself. SCSI's own fields cut the model to 16
 * characters and the firmware to 4.
 */
export function ataIdentity(bytes: Uint8Array | undefined): AtaIdentity | undefined {
  const page = pageOf(bytes, 0x89);
  if (page === undefined || page.length < identifyEnd || page[56] !== identifyDevice) return undefined;
  const identify = page.subarray(identifyAt, identifyEnd);
  // ACS-4 7.13.6: words 10–19, 23–26 and 27–46.
  return { serial: ataText(identify, 10, 10), firmware: ataText(identify, 23, 4), model: ataText(identify, 27, 20) };
}

/** The first character of each word is in its upper byte, which comes second. */
function ataText(identify: Uint8Array, firstWord: number, words: number): string {
  return latin(Buffer.from(identify.subarray(firstWord * 2, (firstWord + words) * 2)).swap16());
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').replaceAll('\0', '').trim();
}
