import { byteAt, concatBytes, copyInto, EMPTY, view } from '../bytes.ts';
import { setUint32, uint16At, uint32At } from '../cursor.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded, Malformed } from '../result.ts';
import { MAX_OPTION_DATA } from './encode.ts';
import { OptionCode } from './option-code.ts';
import { OVERLOAD_FILE, OVERLOAD_SNAME } from './overload.ts';
import {
  BootpOp,
  CHADDR_BYTES,
  CHADDR_OFFSET,
  FILE_BYTES,
  FILE_OFFSET,
  HEADER_BYTES,
  MAGIC_COOKIE,
  OPTIONS_OFFSET,
  SNAME_BYTES,
  SNAME_OFFSET,
} from './packet.ts';

/** RFC 951's length of a packet: some servers and ROMs drop less. */
const MIN_BYTES = 300;

/** From `start` to before `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * What a relay agent looks at in a packet, without taking it apart. Addresses are numbers of 32 bits: they are only
 * compared. A packet that this accepts `decodeDhcp` accepts, and the reverse.
 */
export interface DhcpOutline {
  readonly op: BootpOp;
  readonly htype: number;
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  readonly flags: number;
  readonly ciaddr: number;
  readonly yiaddr: number;
  readonly giaddr: number;
  /** Option 53; undefined for BOOTP, 0 for one that is not a single byte. */
  readonly messageType: number | undefined;
  /** Option 50; 0 without. */
  readonly requestedAddress: number;
  /** Option 54; 0 without. */
  readonly serverId: number;
  /** Where END stands, or where the options end without one. */
  readonly optionsEnd: number;
  /** Code, length and value of each option 82 in the options field. */
  readonly agentPieces: readonly Range[];
  /** Another option 82 is in an overloaded `file` or `sname`, where no relay agent puts it. */
  readonly hasHiddenAgent: boolean;
}

const NO_PIECES: readonly Range[] = [];

/** Reads what a relay agent needs; refuses what `decodeDhcp` refuses. */
export function outlineDhcp(bytes: Uint8Array): Decoded<DhcpOutline> {
  if (bytes.length < OPTIONS_OFFSET)
    return malformed(bytes.length, `a DHCP packet has at least ${OPTIONS_OFFSET} bytes, not ${bytes.length}`);
  const op = byteAt(bytes, 0);
  if (op !== BootpOp.REQUEST && op !== BootpOp.REPLY) return malformed(0, `op ${op} is neither request nor reply`);
  const hlen = byteAt(bytes, 2);
  if (hlen > CHADDR_BYTES) return malformed(2, `hlen ${hlen} is more than chaddr's ${CHADDR_BYTES} bytes`);
  if (uint32At(bytes, HEADER_BYTES) !== MAGIC_COOKIE) return malformed(HEADER_BYTES, 'no DHCP magic cookie');

  let messageType: number | undefined;
  let requestedAddress = 0;
  let serverId = 0;
  let overload: number | undefined;
  let pieces: Range[] | undefined;
  let offset = OPTIONS_OFFSET;
  while (offset < bytes.length) {
    const code = byteAt(bytes, offset);
    if (code === OptionCode.END) break;
    if (code === OptionCode.PAD) {
      offset += 1;
      continue;
    }
    const next = offset + 2 + byteAt(bytes, offset + 1);
    if (offset + 1 >= bytes.length || next > bytes.length) return overrun(bytes, offset);
    const value = offset + 2;
    switch (code) {
      case OptionCode.MESSAGE_TYPE:
        // A second one would be the rest of the first (RFC 3396).
        messageType = messageType === undefined && next - value === 1 ? byteAt(bytes, value) : 0;
        break;
      case OptionCode.REQUESTED_ADDRESS:
        if (next - value === 4) requestedAddress = uint32At(bytes, value);
        break;
      case OptionCode.SERVER_ID:
        if (next - value === 4) serverId = uint32At(bytes, value);
        break;
      case OptionCode.OVERLOAD:
        // As `overloadOf`: what is repeated, or no number of 1 to 3, is none.
        overload = overload === undefined && next - value === 1 ? byteAt(bytes, value) : 0;
        break;
      case OptionCode.RELAY_AGENT:
        (pieces ??= []).push({ start: offset, end: next });
        break;
      default:
    }
    offset = next;
  }
  let hasHiddenAgent = false;
  if (overload !== undefined && overload <= (OVERLOAD_FILE | OVERLOAD_SNAME)) {
    for (const [flag, start, size] of OVERLOADED) {
      if ((overload & flag) === 0) continue;
      const found = findAgent(bytes, start, start + size);
      if (typeof found !== 'boolean') return found;
      hasHiddenAgent ||= found;
    }
  }
  return accept({
    op,
    htype: byteAt(bytes, 1),
    hlen,
    hops: byteAt(bytes, 3),
    xid: uint32At(bytes, 4),
    flags: uint16At(bytes, 10),
    ciaddr: uint32At(bytes, 12),
    yiaddr: uint32At(bytes, 16),
    giaddr: uint32At(bytes, 24),
    messageType,
    requestedAddress,
    serverId,
    optionsEnd: offset,
    agentPieces: pieces ?? NO_PIECES,
    hasHiddenAgent,
  });
}

const OVERLOADED = [
  [OVERLOAD_FILE, FILE_OFFSET, FILE_BYTES],
  [OVERLOAD_SNAME, SNAME_OFFSET, SNAME_BYTES],
] as const;

/** Whether option 82 is among the options in `bytes[start, end)`. */
function findAgent(bytes: Uint8Array, start: number, end: number): boolean | Malformed {
  let found = false;
  for (let offset = start; offset < end;) {
    const code = byteAt(bytes, offset);
    if (code === OptionCode.END) break;
    if (code === OptionCode.PAD) {
      offset += 1;
      continue;
    }
    const next = offset + 2 + byteAt(bytes, offset + 1);
    if (offset + 1 >= end || next > end) return overrun(bytes, offset);
    found ||= code === OptionCode.RELAY_AGENT;
    offset = next;
  }
  return found;
}

function overrun(bytes: Uint8Array, offset: number): Malformed {
  return malformed(offset, `option ${byteAt(bytes, offset)} runs past the end of its field`);
}

/** The value of option 82, its pieces joined; empty without one. */
export function agentValue(bytes: Uint8Array, { agentPieces }: DhcpOutline): Uint8Array {
  const [first] = agentPieces;
  if (first === undefined) return EMPTY;
  if (agentPieces.length === 1) return view(bytes, first.start + 2, first.end);
  return concatBytes(agentPieces.map(({ start, end }) => view(bytes, start + 2, end)));
}

/** The hardware address as the packet has it. */
export function outlineHardwareAddress(bytes: Uint8Array, { hlen }: DhcpOutline): Uint8Array {
  return view(bytes, CHADDR_OFFSET, CHADDR_OFFSET + hlen);
}

export interface RelayEdit {
  readonly hops: number;
  readonly giaddr: number;
  /** The value of option 82, which will be the last option; empty for none; undefined: as it is. */
  readonly agent: Uint8Array | undefined;
  /** Gives that many bytes, with anything in them. */
  readonly allocate?: (sizeBytes: number) => Uint8Array;
}

/** How long `editRelayed` makes the packet. */
export function editedLength({ optionsEnd, agentPieces }: DhcpOutline, agent: Uint8Array): number {
  const dropped = agentPieces.reduce((sum, { start, end }) => sum + end - start, 0);
  return Math.max(MIN_BYTES, optionsEnd - dropped + agentLength(agent) + 1);
}

/**
 * The packet with another `hops`, `giaddr` and option 82. All else keeps its bytes and its order, mistakes included: a
 * relay agent is to change nothing (RFC 1542 §4.1). What follows END is filling, and not kept where option 82 changes.
 */
export function editRelayed(bytes: Uint8Array, outline: DhcpOutline, edit: RelayEdit): Uint8Array {
  const { agent, allocate = newBytes } = edit;
  const edited = allocate(agent === undefined ? bytes.length : editedLength(outline, agent));
  if (agent === undefined) edited.set(bytes);
  else writeWithAgent(edited, bytes, outline, agent);
  edited[3] = edit.hops;
  setUint32(edited, 24, edit.giaddr);
  return edited;
}

function newBytes(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes);
}

function writeWithAgent(edited: Uint8Array, bytes: Uint8Array, outline: DhcpOutline, agent: Uint8Array): void {
  let offset = 0;
  let from = 0;
  const keep = (to: number): void => {
    edited.set(view(bytes, from, to), offset);
    offset += to - from;
  };
  for (const { start, end } of outline.agentPieces) {
    keep(start);
    from = end;
  }
  keep(outline.optionsEnd);
  for (let at = 0; at < agent.length; at += MAX_OPTION_DATA) {
    const piece = view(agent, at, Math.min(agent.length, at + MAX_OPTION_DATA));
    edited[offset] = OptionCode.RELAY_AGENT;
    edited[offset + 1] = piece.length;
    copyInto(edited, piece, offset + 2);
    offset += 2 + piece.length;
  }
  edited[offset] = OptionCode.END;
  edited.fill(0, offset + 1);
}

function agentLength(agent: Uint8Array): number {
  return agent.length + 2 * Math.ceil(agent.length / MAX_OPTION_DATA);
}
