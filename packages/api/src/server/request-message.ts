import type { IncomingHttpHeaders } from 'node:http';
import { fromBinary, fromJsonString, type DescMessage, type DescMethod, type Message } from '@bufbuild/protobuf';
import { ApiError, Code } from '../errors.ts';
import { refuseHeavyBinary, refuseHeavyJson } from './request-weight.ts';

/** Length and flags before each message of gRPC-Web, and of streams of Connect: 5 bytes. */
export const ENVELOPE = 5;

/** Unpacks a message that weighs no more than it may. Throws `ResourceExhausted`, or `InvalidArgument` for garbage. */
export function readBinary(desc: DescMessage, bytes: Uint8Array): Message {
  refuseHeavyBinary(desc, bytes);
  return readable(desc, () => fromBinary(desc, bytes));
}

/**
 * Throws what `readBinary` throws for the body of a Connect or gRPC-Web request with one message. connect-node unpacks it
 * once more, and would call garbage an internal error. What is compressed is its own to read, and bounded otherwise.
 */
export function checkMessage({ input }: DescMethod, headers: IncomingHttpHeaders, body: Uint8Array): void {
  const type = headers['content-type'] ?? '';
  const hasEnvelope = type.startsWith('application/connect+') || type.startsWith('application/grpc-web');
  const message = hasEnvelope ? body.subarray(ENVELOPE) : body;
  if (type.includes('json')) refuseHeavyJson(message);
  else refuseHeavyBinary(input, message);
  const isCompressed = hasEnvelope ? body[0] !== 0 : (headers['content-encoding'] ?? 'identity') !== 'identity';
  // Half a message, none and two are connect-node's to tell apart.
  if (isCompressed || (hasEnvelope && lengthIn(body) !== message.length)) return;
  if (!type.includes('json')) readable(input, () => fromBinary(input, message));
  else if (message.length > 0) {
    readable(input, () => fromJsonString(input, Buffer.from(message).toString('utf8'), { ignoreUnknownFields: true }));
  }
}

function lengthIn(body: Uint8Array): number | undefined {
  if (body.length < ENVELOPE) return undefined;
  return new DataView(body.buffer, body.byteOffset, body.length).getUint32(1);
}

function readable(desc: DescMessage, read: () => Message): Message {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError(Code.InvalidArgument, `cannot read ${desc.typeName}: ${reason}`);
  }
}
