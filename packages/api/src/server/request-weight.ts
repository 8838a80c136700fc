import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ApiError, Code } from '../errors.ts';

/**
 * Values in one request: fields, items and entries, those within others included. Two bytes of the wire make an empty
 * message, which takes some 300 in memory: 4 MiB of them would be more than a gigabyte and seconds of work. The largest
 * that is sent in earnest is upstream's report of all BMCs of a partition, with some 45 values for each.
 */
export const MAX_VALUES = 131_072;

/** What `fromBinary` follows, too. */
const MAX_DEPTH = 100;

/** Throws `ResourceExhausted` for a request in protobuf's encoding that unpacks to too much, before it is unpacked. */
export function refuseHeavyBinary(desc: DescMessage, bytes: Uint8Array): void {
  // No value takes less than a byte.
  if (bytes.length <= MAX_VALUES) return;
  const count = { values: 0 };
  try {
    countMessage(new BinaryReader(bytes), bytes.length, desc, count, 0);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // Whoever decodes it says what is wrong with it: that comes as far as this did.
  }
}

/** The same for one in JSON, of whatever type: each value but the first follows one of three characters. */
export function refuseHeavyJson(bytes: Uint8Array): void {
  if (bytes.length <= MAX_VALUES) return;
  const count = { values: 0 };
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) inText = !inText;
    else if (inText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA || byte === BRACE || byte === BRACKET) add(count, 1);
  }
}

const [QUOTE, BACKSLASH, COMMA, BRACE, BRACKET] = [0x22, 0x5c, 0x2c, 0x7b, 0x5b];

interface Count {
  values: number;
}

function add(count: Count, values: number): void {
  count.values += values;
  if (count.values > MAX_VALUES) {
    throw new ApiError(Code.ResourceExhausted, `a request has ${MAX_VALUES} values at most: ask in several`);
  }
}

/** Without a descriptor the fields are unknown ones, which are kept as they are. */
function countMessage(reader: BinaryReader, end: number, desc: DescMessage, count: Count, depth: number): void {
  const fields = fieldsOf(desc);
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    add(count, 1);
    const field = fields.get(number);
    if (wireType !== WireType.LengthDelimited || field === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const length = reader.uint32();
    const fieldEnd = reader.pos + length;
    if (field.kind === 'packed') add(count, length);
    if (field.kind === 'message' && depth < MAX_DEPTH) countMessage(reader, fieldEnd, field.desc, count, depth + 1);
    if (field.kind === 'map') countEntry(reader, fieldEnd, field.desc, count, depth);
    reader.pos = fieldEnd;
  }
}

/** Key 1, value 2. */
function countEntry(
  reader: BinaryReader,
  end: number,
  value: DescMessage | undefined,
  count: Count,
  depth: number,
): void {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    add(count, 1);
    if (number !== 2 || value === undefined || wireType !== WireType.LengthDelimited || depth >= MAX_DEPTH) {
      reader.skip(wireType, number);
      continue;
    }
    const valueEnd = reader.uint32() + reader.pos;
    countMessage(reader, valueEnd, value, count, depth + 1);
    reader.pos = valueEnd;
  }
}

/** A field whose bytes hold more than one value. */
type Holding =
  | { readonly kind: 'message'; readonly desc: DescMessage }
  | { readonly kind: 'map'; readonly desc: DescMessage | undefined }
  | { readonly kind: 'packed' };

const known = new WeakMap<DescMessage, ReadonlyMap<number, Holding>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, Holding> {
  const found = known.get(desc);
  if (found !== undefined) return found;
  const fields = new Map<number, Holding>();
  for (const field of desc.fields) {
    const holding = holdingOf(field);
    if (holding !== undefined) fields.set(field.number, holding);
  }
  known.set(desc, fields);
  return fields;
}

function holdingOf(field: DescField): Holding | undefined {
  if (field.fieldKind === 'map') return { kind: 'map', desc: field.message };
  if (field.message !== undefined) return { kind: 'message', desc: field.message };
  return field.fieldKind === 'list' && field.packed ? { kind: 'packed' } : undefined;
}
