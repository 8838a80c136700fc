import { copyInto, EMPTY } from '../bytes.ts';
import { setUint16, setUint32 } from '../cursor.ts';
import { IPV4_ANY, writeIpv4 } from '../ipv4.ts';
import type { Encoded } from '../result.ts';
import { buildDhcp, type BuildLimits, type DhcpDraft } from './build.ts';
import { encodeDhcp, optionLength, writeOption } from './encode.ts';
import { OptionCode } from './option-code.ts';
import {
  CHADDR_BYTES,
  CHADDR_OFFSET,
  FILE_BYTES,
  FILE_OFFSET,
  HEADER_BYTES,
  HTYPE_ETHERNET,
  MAGIC_COOKIE,
  OPTIONS_OFFSET,
  SNAME_BYTES,
  SNAME_OFFSET,
} from './packet.ts';
import type { DhcpOption } from './packet.ts';

export interface WriteLimits extends BuildLimits {
  /** Gives that many bytes, all 0. A server takes them from a large piece, which costs a tenth of a new array. */
  readonly allocate?: (sizeBytes: number) => Uint8Array;
}

/**
 * The bytes that `buildDhcp` and `encodeDhcp` make of a draft, without the packet in between: what a server sends
 * thousands of times a second.
 */
export function writeDhcp(draft: DhcpDraft, limits: WriteLimits = {}): Encoded<Uint8Array> {
  const { minBytes = 300, maxBytes = 548, allocate } = limits;
  let length = OPTIONS_OFFSET + 1;
  for (const option of draft.options) if (place(option) !== LEFT_OUT) length += optionLength(option);
  const { sname = '', file = '', chaddr = EMPTY } = draft;
  if (length > maxBytes || !isPlain(sname, SNAME_BYTES) || !isPlain(file, FILE_BYTES)) return carefully(draft, limits);
  if (chaddr.length > CHADDR_BYTES) return carefully(draft, limits);
  const size = Math.max(length, minBytes);
  const bytes = allocate === undefined ? new Uint8Array(size) : allocate(size);
  bytes[0] = draft.op;
  bytes[1] = draft.htype ?? HTYPE_ETHERNET;
  bytes[2] = draft.hlen ?? 6;
  bytes[3] = draft.hops ?? 0;
  setUint32(bytes, 4, draft.xid);
  setUint16(bytes, 8, draft.secs ?? 0);
  setUint16(bytes, 10, draft.flags ?? 0);
  writeIpv4(bytes, 12, draft.ciaddr ?? IPV4_ANY);
  writeIpv4(bytes, 16, draft.yiaddr ?? IPV4_ANY);
  writeIpv4(bytes, 20, draft.siaddr ?? IPV4_ANY);
  writeIpv4(bytes, 24, draft.giaddr ?? IPV4_ANY);
  copyInto(bytes, chaddr, CHADDR_OFFSET);
  writeText(bytes, sname, SNAME_OFFSET);
  writeText(bytes, file, FILE_OFFSET);
  setUint32(bytes, HEADER_BYTES, MAGIC_COOKIE);
  let offset = OPTIONS_OFFSET;
  for (const wanted of ORDER) {
    for (const option of draft.options) if (place(option) === wanted) offset = writeOption(bytes, offset, option);
  }
  bytes[offset] = OptionCode.END;
  return { ok: true, value: bytes };
}

/** By way of a packet: names with other letters, options that must be split over header fields, mistakes. */
function carefully(draft: DhcpDraft, limits: BuildLimits): Encoded<Uint8Array> {
  const built = buildDhcp(draft, limits);
  return built.ok ? { ok: true, value: encodeDhcp(built.value) } : built;
}

const FIRST = 0;
const MIDDLE = 1;
const LAST = 2;
const LEFT_OUT = 3;
const ORDER = [FIRST, MIDDLE, LAST] as const;

/** As `layOutOptions` orders them. */
function place({ code }: DhcpOption): number {
  switch (code) {
    case OptionCode.PAD:
    case OptionCode.END:
    case OptionCode.OVERLOAD:
      return LEFT_OUT;
    case OptionCode.MESSAGE_TYPE:
      return FIRST;
    case OptionCode.RELAY_AGENT:
      return LAST;
    default:
      return MIDDLE;
  }
}

/** ASCII that leaves room for a NUL. */
function isPlain(name: string | Uint8Array, size: number): name is string {
  if (typeof name !== 'string' || name.length >= size) return false;
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) > 0x7f) return false;
  return true;
}

function writeText(bytes: Uint8Array, text: string, offset: number): void {
  for (let index = 0; index < text.length; index++) bytes[offset + index] = text.charCodeAt(index);
}
