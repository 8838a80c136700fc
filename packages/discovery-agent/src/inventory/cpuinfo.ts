import { armNames } from './arm-names.ts';

/** What /proc/cpuinfo tells of one logical processor. */
export interface CpuinfoEntry {
  readonly number: number;
  readonly vendor: string;
  readonly model: string;
  /** Whether the model is the processor's own text rather than a name out of a table. */
  readonly modelIsItsOwn: boolean;
  /** `0x2b000603`; empty where the kernel tells none. */
  readonly microcode: string;
  readonly socket: number;
  readonly core: string;
}

export interface Cpuinfo {
  /** Numbers of the processors that are listed. */
  readonly numbers: readonly number[];
  entry(number: number): CpuinfoEntry | undefined;
}

/** Only the entries that are asked for are parsed: a machine of 512 threads has a megabyte of them, almost equal. */
export function parseCpuinfo(text: string): Cpuinfo {
  const blocks = new Map<number, string>();
  for (const block of text.split('\n\n')) {
    const number = /^processor[\t ]*: *(\d{1,5})$/m.exec(block)?.[1];
    if (number !== undefined) blocks.set(Number(number), block);
  }
  return {
    numbers: [...blocks.keys()],
    entry(number) {
      const block = blocks.get(number);
      return block === undefined ? undefined : parseEntry(number, block);
    },
  };
}

function parseEntry(number: number, block: string): CpuinfoEntry {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const own = fields.get('model name');
  const implementer = Number(fields.get('CPU implementer') ?? Number.NaN);
  const arm = Number.isNaN(implementer) ? undefined : armNames(implementer, Number(fields.get('CPU part') ?? 0));
  return {
    number,
    vendor: fields.get('vendor_id') ?? arm?.vendor ?? '',
    model: (own ?? arm?.model ?? '').replaceAll(/\s+/g, ' '),
    modelIsItsOwn: own !== undefined,
    microcode: fields.get('microcode') ?? '',
    socket: Number(fields.get('physical id') ?? 0),
    core: fields.get('core id') ?? String(number),
  };
}
