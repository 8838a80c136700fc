import { EMPTY, view } from '../bytes.ts';
import { Cursor } from '../cursor.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { latin1 } from '../text.ts';
import { TftpOpcode } from './packet.ts';
import type { TftpError, TftpOption, TftpPacket, TftpRequest } from './packet.ts';

/**
 * Decodes the payload of a UDP datagram (RFC 1350, 2347).
 *
 * Refused: an unknown opcode, a packet too short for its fixed fields, a request without a NUL-terminated file name
 * and mode. Borne and kept: bytes behind complete fields, an ERROR without its last NUL.
 */
export function decodeTftp(bytes: Uint8Array): Decoded<TftpPacket> {
  const cursor = new Cursor(bytes);
  const opcode = cursor.uint16('opcode');
  if (cursor.overrun !== undefined) return cursor.overrun;
  switch (opcode) {
    case TftpOpcode.RRQ:
      return decodeRequest(bytes, 'rrq');
    case TftpOpcode.WRQ:
      return decodeRequest(bytes, 'wrq');
    case TftpOpcode.DATA: {
      const block = cursor.uint16('block number');
      return cursor.overrun ?? accept({ kind: 'data', block, data: cursor.rest() });
    }
    case TftpOpcode.ACK: {
      const block = cursor.uint16('block number');
      return cursor.overrun ?? accept({ kind: 'ack', block, trailing: cursor.rest() });
    }
    case TftpOpcode.ERROR:
      return decodeError(cursor);
    case TftpOpcode.OACK: {
      const { options, end } = decodeOptions(bytes, cursor.offset);
      return accept({ kind: 'oack', options, trailing: view(bytes, end, bytes.length) });
    }
    default:
      return malformed(0, `TFTP opcode ${opcode} is unknown`);
  }
}

function decodeRequest(bytes: Uint8Array, kind: 'rrq' | 'wrq'): Decoded<TftpRequest> {
  const nameEnd = bytes.indexOf(0, 2);
  if (nameEnd < 0) return malformed(2, 'the file name has no NUL at its end');
  const modeEnd = bytes.indexOf(0, nameEnd + 1);
  if (modeEnd < 0) return malformed(nameEnd + 1, 'the mode has no NUL at its end');
  const { options, end } = decodeOptions(bytes, modeEnd + 1);
  return accept({
    kind,
    filename: latin1(view(bytes, 2, nameEnd)),
    mode: latin1(view(bytes, nameEnd + 1, modeEnd)),
    options,
    trailing: view(bytes, end, bytes.length),
  });
}

/** Name-value pairs up to the first that is incomplete or has no name. */
function decodeOptions(bytes: Uint8Array, start: number): { options: readonly TftpOption[]; end: number } {
  const options: TftpOption[] = [];
  let end = start;
  for (;;) {
    const nameEnd = bytes.indexOf(0, end);
    if (nameEnd <= end) break;
    const valueEnd = bytes.indexOf(0, nameEnd + 1);
    if (valueEnd < 0) break;
    options.push({ name: latin1(view(bytes, end, nameEnd)), value: latin1(view(bytes, nameEnd + 1, valueEnd)) });
    end = valueEnd + 1;
  }
  return { options, end };
}

function decodeError(cursor: Cursor): Decoded<TftpError> {
  const code = cursor.uint16('error code');
  if (cursor.overrun !== undefined) return cursor.overrun;
  const rest = cursor.rest();
  const nul = rest.indexOf(0);
  if (nul < 0) return accept({ kind: 'error', code, message: latin1(rest), terminated: false, trailing: EMPTY });
  return accept({
    kind: 'error',
    code,
    message: latin1(view(rest, 0, nul)),
    terminated: true,
    trailing: view(rest, nul + 1, rest.length),
  });
}
