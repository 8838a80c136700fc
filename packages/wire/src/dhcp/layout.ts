import { view } from '../bytes.ts';
import type { Encoded } from '../result.ts';
import { MAX_OPTION_DATA, optionLength, optionsLength, writeOptions } from './encode.ts';
import { OptionCode } from './option-code.ts';
import { OVERLOAD_FILE, OVERLOAD_SNAME } from './overload.ts';
import { FILE_BYTES, SNAME_BYTES } from './packet.ts';
import type { DhcpOption } from './packet.ts';

/** Room that a packet offers to its options. */
export interface Room {
  /** Bytes for options in the options field, without its END. */
  readonly mainBytes: number;
  readonly fileFree: boolean;
  readonly snameFree: boolean;
}

export interface LaidOutOptions {
  readonly options: readonly DhcpOption[];
  /** The whole overloaded field, if options had to go there. */
  readonly file?: Uint8Array;
  readonly sname?: Uint8Array;
}

/** Code, length and one byte of value: what option 52 itself takes. */
const OVERLOAD_BYTES = 3;

interface Area {
  readonly options: DhcpOption[];
  free: number;
}

/** Orders the options and finds a place for each; see `buildDhcp`. */
export function layOutOptions(wanted: readonly DhcpOption[], room: Room): Encoded<LaidOutOptions> {
  const { first, middle, last } = inOrder(wanted);
  const all = [...first, ...middle, ...last];
  const needed = optionsLength(all);
  if (needed <= room.mainBytes) return { ok: true, value: { options: all } };

  // `file` first and alone if it suffices: firmware that knows overloading at all knows that one best.
  for (const [useFile, useSname] of [
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    if ((useFile && !room.fileFree) || (useSname && !room.snameFree)) continue;
    const fixed = optionsLength(first) + optionsLength(last) + OVERLOAD_BYTES;
    const main: Area = { options: [], free: room.mainBytes - fixed };
    // Each overloaded field ends in an END of its own.
    const file: Area = { options: [], free: useFile ? FILE_BYTES - 1 : 0 };
    const sname: Area = { options: [], free: useSname ? SNAME_BYTES - 1 : 0 };
    if (!placeAll(middle, [main, file, sname])) continue;
    const overload = (useFile ? OVERLOAD_FILE : 0) | (useSname ? OVERLOAD_SNAME : 0);
    return {
      ok: true,
      value: {
        options: [...first, { code: OptionCode.OVERLOAD, data: Uint8Array.of(overload) }, ...main.options, ...last],
        ...(useFile && { file: overloadedField(file.options, FILE_BYTES) }),
        ...(useSname && { sname: overloadedField(sname.options, SNAME_BYTES) }),
      },
    };
  }
  return { ok: false, reason: `the options need ${needed} bytes, there is room for ${room.mainBytes}` };
}

function inOrder(wanted: readonly DhcpOption[]): Record<'first' | 'middle' | 'last', readonly DhcpOption[]> {
  const first: DhcpOption[] = [];
  const middle: DhcpOption[] = [];
  const last: DhcpOption[] = [];
  for (const option of wanted) {
    switch (option.code) {
      case OptionCode.PAD:
      case OptionCode.END:
      case OptionCode.OVERLOAD:
        break;
      case OptionCode.MESSAGE_TYPE:
        first.push(option);
        break;
      case OptionCode.RELAY_AGENT:
        last.push(option);
        break;
      default:
        middle.push(option);
    }
  }
  return { first, middle, last };
}

/** Whole options into the first area with room; one that fits nowhere whole is cut over what is left, in area order. */
function placeAll(options: readonly DhcpOption[], areas: readonly Area[]): boolean {
  for (const option of options) {
    const length = optionLength(option);
    const whole = areas.find((area) => area.free >= length);
    if (whole !== undefined) {
      whole.options.push(option);
      whole.free -= length;
    } else if (!placeInPieces(option, areas)) return false;
  }
  return true;
}

function placeInPieces({ code, data }: DhcpOption, areas: readonly Area[]): boolean {
  let from = 0;
  for (const area of areas) {
    while (from < data.length && area.free > 2) {
      const length = Math.min(MAX_OPTION_DATA, area.free - 2, data.length - from);
      area.options.push({ code, data: view(data, from, from + length) });
      area.free -= length + 2;
      from += length;
    }
  }
  return from === data.length && data.length > 0;
}

function overloadedField(options: readonly DhcpOption[], size: number): Uint8Array {
  const field = new Uint8Array(size);
  field[writeOptions(field, 0, options)] = OptionCode.END;
  return field;
}
