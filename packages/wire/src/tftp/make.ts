import { EMPTY } from '../bytes.ts';
import type { TftpAck, TftpData, TftpError, TftpOack, TftpOption, TftpRequest } from './packet.ts';

/** Read request; `mode` is `octet` unless told. */
export function tftpReadRequest(filename: string, options: readonly TftpOption[] = [], mode = 'octet'): TftpRequest {
  return { kind: 'rrq', filename, mode, options, trailing: EMPTY };
}

export function tftpWriteRequest(filename: string, options: readonly TftpOption[] = [], mode = 'octet'): TftpRequest {
  return { kind: 'wrq', filename, mode, options, trailing: EMPTY };
}

export function tftpData(block: number, data: Uint8Array): TftpData {
  return { kind: 'data', block, data };
}

export function tftpAck(block: number): TftpAck {
  return { kind: 'ack', block, trailing: EMPTY };
}

export function tftpError(code: number, message: string): TftpError {
  return { kind: 'error', code, message, terminated: true, trailing: EMPTY };
}

export function tftpOack(options: readonly TftpOption[]): TftpOack {
  return { kind: 'oack', options, trailing: EMPTY };
}
