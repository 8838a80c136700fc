import { accept, malformed } from '../result.ts';
import type { Read } from '../result.ts';
import type { TftpOption, TftpRequest } from './packet.ts';

export type TftpOptionName = 'blksize' | 'timeout' | 'tsize' | 'windowsize';

/** Ranges, both ends included. */
export const TFTP_OPTION_RANGES: Readonly<Record<TftpOptionName, readonly [min: number, max: number]>> = {
  /** Bytes of data in a block: RFC 2348. */
  blksize: [8, 65_464],
  /** Seconds until a retransmission: RFC 2349 §2. */
  timeout: [1, 255],
  /** Bytes of the file; 0 in a read request asks for it: RFC 2349 §3. No upper end there, but exact integers here. */
  tsize: [0, Number.MAX_SAFE_INTEGER],
  /** Blocks between two ACKs: RFC 7440 §3. */
  windowsize: [1, 65_535],
};

/** The options with a meaning; each absent, a number in its range, or a refusal whose offset counts within the value. */
export type TftpOptions = { readonly [Name in TftpOptionName]: Read<number> };

/** Names count in any case; of a repeated option, which RFC 2347 §2 forbids, the first counts. */
export function readTftpOptions(options: readonly TftpOption[]): TftpOptions {
  return {
    blksize: readNumber(options, 'blksize'),
    timeout: readNumber(options, 'timeout'),
    tsize: readNumber(options, 'tsize'),
    windowsize: readNumber(options, 'windowsize'),
  };
}

function readNumber(options: readonly TftpOption[], name: TftpOptionName): Read<number> {
  const value = options.find((option) => option.name.toLowerCase() === name)?.value;
  if (value === undefined) return undefined;
  if (!/^\d{1,16}$/.test(value)) return malformed(0, `${name} ${JSON.stringify(value)} is no decimal number`);
  const [min, max] = TFTP_OPTION_RANGES[name];
  const number = Number(value);
  if (number < min || number > max) return malformed(0, `${name} ${value} is not between ${min} and ${max}`);
  return accept(number);
}

/** The transfer mode, in any case (RFC 1350 §5); `undefined` for a word that is none. */
export function tftpMode(request: Pick<TftpRequest, 'mode'>): 'octet' | 'netascii' | 'mail' | undefined {
  const mode = request.mode.toLowerCase();
  return mode === 'octet' || mode === 'netascii' || mode === 'mail' ? mode : undefined;
}

/**
 * The file name without the control and 0xFF bytes that some PXE ROMs leave at its end: they copy the DHCP `file`
 * field with the option END behind it.
 */
export function cleanFilename(filename: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the bytes in question
  return filename.replace(/[\u0000-\u0020\u007f-\u00a0\u00ff]+$/, '');
}
