import type { AtaSanitize, AtaSecurity } from './facts.ts';

/** What IDENTIFY DEVICE says about erasing. Words and bits as in ACS-4 §7.12. */
export interface AtaIdentify {
  readonly security: AtaSecurity;
  readonly sanitize: Omit<AtaSanitize, 'inProgress'>;
  /** Trimmed blocks read as zeroes, and always the same ones (RZAT with DRAT). */
  readonly trimZeroes: boolean;
}

const wordCount = 256;

/**
 * Reads `hdparm --Istdout`: a line with the device's name, then 256 words in hexadecimal.
 *
 * @returns undefined for anything else, or when the words' checksum is wrong. hdparm prints nothing but zeroes, and no
 *   error, for a disk that does not know the question, such as one behind an adapter that passes it on wrongly.
 */
export function parseAtaIdentify(text: string): AtaIdentify | undefined {
  const words = text
    .split('\n')
    .filter((line) => /^\s*([0-9a-f]{4}\s*)+$/i.test(line))
    .flatMap((line) => line.trim().split(/\s+/))
    .map((word) => Number.parseInt(word, 16));
  if (words.length !== wordCount || words.every((word) => word === 0) || !checksumFits(words)) return undefined;
  const word = (index: number): number => words[index] ?? 0;
  const bit = (index: number, number: number): boolean => ((word(index) >> number) & 1) === 1;
  const securitySupported = bit(82, 1) || bit(128, 0);
  const sanitizeSupported = bit(59, 12);
  return {
    security: {
      supported: securitySupported,
      enabled: bit(128, 1),
      locked: bit(128, 2),
      frozen: bit(128, 3),
      enhanced: bit(128, 5),
      eraseSeconds: seconds(word(89)),
      enhancedSeconds: seconds(word(90)),
    },
    sanitize: {
      crypto: sanitizeSupported && bit(59, 13),
      overwrite: sanitizeSupported && bit(59, 14),
      block: sanitizeSupported && bit(59, 15),
    },
    trimZeroes: bit(169, 0) && bit(69, 14) && bit(69, 5),
  };
}

/** Word 255: A5h below, above it what makes all 512 bytes add up to zero. Without the A5h there is no checksum. */
function checksumFits(words: readonly number[]): boolean {
  const last = words[wordCount - 1] ?? 0;
  if ((last & 0xff) !== 0xa5) return true;
  return (words.reduce((sum, word) => sum + (word >> 8) + (word & 0xff), 0) & 0xff) === 0;
}

/** Units of two minutes. 0 is unknown; the largest value stands for "longer". Bit 15 marks the wider field. */
function seconds(value: number): number | undefined {
  const units = value & 0x8000 ? value & 0x7fff : value & 0xff;
  return units === 0 ? undefined : units * 120;
}

export interface AtaSanitizeStatus {
  readonly state: 'idle' | 'frozen' | 'in-progress' | 'failed';
  /** 0 to 1, while in progress. */
  readonly fraction: number | undefined;
}

/** Reads `hdparm --sanitize-status`; undefined for anything else. */
export function parseAtaSanitizeStatus(text: string): AtaSanitizeStatus | undefined {
  const state = /\bSD([0-3])\b/.exec(text)?.[1];
  const percent = /Progress:[^(]*\((\d{1,3})%\)/.exec(text)?.[1];
  const fraction = percent === undefined ? undefined : Math.min(1, Number(percent) / 100);
  switch (state) {
    case '0':
      // Idle says nothing about how the last one ended.
      return { state: /completed unsuccessfully/i.test(text) ? 'failed' : 'idle', fraction: undefined };
    case '1':
      return { state: 'frozen', fraction: undefined };
    case '2':
      return { state: 'in-progress', fraction };
    case '3':
      return { state: 'failed', fraction: undefined };
    default:
      return undefined;
  }
}

/**
 * Reads `hdparm -N`: sectors that a host protected area hides from the kernel. 0 where there is none, or where the disk
 * does not know of such a thing.
 */
export function parseAtaHidden(text: string): number {
  const [, visible, native] = /max sectors\s*=\s*(\d{1,15})\/(\d{1,15})\b/.exec(text) ?? [];
  if (visible === undefined || native === undefined || Number(visible) === 0) return 0;
  return Math.max(0, Number(native) - Number(visible));
}
