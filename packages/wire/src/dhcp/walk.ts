import { byteAt, view } from '../bytes.ts';
import { malformed } from '../result.ts';
import type { Malformed } from '../result.ts';
import { OptionCode } from './option-code.ts';
import { PAD } from './packet.ts';
import type { DhcpOption } from './packet.ts';

/**
 * Appends the options in `bytes[start, end)` to `options`.
 *
 * @returns the offset just behind END, -1 if the bytes ran out in good order without one, or why they are malformed.
 */
export function walkOptions(bytes: Uint8Array, start: number, end: number, options: DhcpOption[]): number | Malformed {
  let offset = start;
  while (offset < end) {
    const code = byteAt(bytes, offset);
    if (code === OptionCode.END) return offset + 1;
    if (code === OptionCode.PAD) {
      options.push(PAD);
      offset += 1;
      continue;
    }
    if (offset + 1 >= end) return malformed(offset, `option ${code} has no length byte`);
    const length = byteAt(bytes, offset + 1);
    const next = offset + 2 + length;
    if (next > end) {
      return malformed(offset, `option ${code} claims ${length} bytes, ${end - offset - 2} are left`);
    }
    options.push({ code, data: view(bytes, offset + 2, next) });
    offset = next;
  }
  return -1;
}
