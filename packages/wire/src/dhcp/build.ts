import { EMPTY } from '../bytes.ts';
import { IPV4_ANY } from '../ipv4.ts';
import type { Encoded } from '../result.ts';
import { bytesOfUtf8, isBlank } from '../text.ts';
import { optionsLength } from './encode.ts';
import { layOutOptions } from './layout.ts';
import { CHADDR_BYTES, FILE_BYTES, HTYPE_ETHERNET, OPTIONS_OFFSET, SNAME_BYTES } from './packet.ts';
import type { DhcpHeader, DhcpOption, DhcpPacket } from './packet.ts';

/** A packet as its sender thinks of it; what is left out is 0, Ethernet or empty. */
export interface DhcpDraft extends Partial<Omit<DhcpHeader, 'op' | 'xid' | 'sname' | 'file'>> {
  readonly op: DhcpHeader['op'];
  readonly xid: number;
  /** Server host name: text of at most 63 bytes (it ends in a NUL), or the whole field. */
  readonly sname?: string | Uint8Array;
  /** Boot file name: text of at most 127 bytes, or the whole field. */
  readonly file?: string | Uint8Array;
  /** In the order wanted; 53 is moved to the front, 82 to the end, PADs and END are dropped. */
  readonly options: readonly DhcpOption[];
}

export interface BuildLimits {
  /** Filled with zeros up to here. RFC 951's 300 by default: some relays and ROMs drop less. */
  readonly minBytes?: number;
  /** Largest UDP payload. 548 by default, which every client takes (RFC 2131 §2); see `replyLimitBytes`. */
  readonly maxBytes?: number;
}

/**
 * Lays a packet out: message type first, relay agent information last and verbatim (RFC 3046 §2.1), padded to
 * `minBytes`. If the options exceed `maxBytes`, those that do not fit move into `file` and `sname` as far as these
 * are unused (option 52), split as RFC 3396 allows if they must be.
 *
 * Refused: a name that does not fit its field, and options for which there is no room at all.
 */
export function buildDhcp(draft: DhcpDraft, limits: BuildLimits = {}): Encoded<DhcpPacket> {
  const { minBytes = 300, maxBytes = 548 } = limits;
  const sname = nameField(draft.sname, SNAME_BYTES);
  if (sname === undefined) return { ok: false, reason: `sname is longer than ${SNAME_BYTES - 1} bytes` };
  const file = nameField(draft.file, FILE_BYTES);
  if (file === undefined) return { ok: false, reason: `file is longer than ${FILE_BYTES - 1} bytes` };
  const laidOut = layOutOptions(draft.options, {
    // One byte for END.
    mainBytes: maxBytes - OPTIONS_OFFSET - 1,
    fileFree: isBlank(file),
    snameFree: isBlank(sname),
  });
  if (!laidOut.ok) return laidOut;
  const { options } = laidOut.value;
  const missing = minBytes - OPTIONS_OFFSET - optionsLength(options) - 1;
  return {
    ok: true,
    value: {
      op: draft.op,
      htype: draft.htype ?? HTYPE_ETHERNET,
      hlen: draft.hlen ?? 6,
      hops: draft.hops ?? 0,
      xid: draft.xid,
      secs: draft.secs ?? 0,
      flags: draft.flags ?? 0,
      ciaddr: draft.ciaddr ?? IPV4_ANY,
      yiaddr: draft.yiaddr ?? IPV4_ANY,
      siaddr: draft.siaddr ?? IPV4_ANY,
      giaddr: draft.giaddr ?? IPV4_ANY,
      chaddr: filled(draft.chaddr ?? EMPTY, CHADDR_BYTES),
      sname: laidOut.value.sname ?? sname,
      file: laidOut.value.file ?? file,
      options,
      end: true,
      trailing: missing > 0 ? new Uint8Array(missing) : EMPTY,
    },
  };
}

function nameField(name: string | Uint8Array | undefined, size: number): Uint8Array | undefined {
  if (typeof name !== 'string')
    return name === undefined || name.length <= size ? filled(name ?? EMPTY, size) : undefined;
  const bytes = bytesOfUtf8(name);
  return bytes.length < size ? filled(bytes, size) : undefined;
}

function filled(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length === size) return bytes;
  const field = new Uint8Array(size);
  field.set(bytes);
  return field;
}
