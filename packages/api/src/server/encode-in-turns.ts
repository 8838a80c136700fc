import { setImmediate } from 'node:timers/promises';
import { create, toBinary, type DescMessage, type Message, type UnknownField } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Machines with all that is known of them that are encoded in about ten milliseconds. */
const AT_ONCE = 64;

/**
 * The message with its long lists encoded: `toBinary` of what comes back only copies them, and gives the bytes that it
 * would have given before, but for the order of fields. Between two pieces everybody else has a turn, who would wait for
 * the whole of an answer with thousands of machines otherwise. The bytes stand where fields go that this program does not
 * know, so JSON of it would lack them.
 */
export async function encodeInTurns(schema: DescMessage, message: Message): Promise<Message> {
  const fields: Record<string, unknown> = { ...message };
  const encoded: UnknownField[] = [];
  for (const field of schema.fields) {
    const list = fields[field.localName];
    if (field.fieldKind !== 'list' || field.listKind !== 'message' || field.delimitedEncoding) continue;
    if (!Array.isArray(list) || list.length <= AT_ONCE) continue;
    const tagBytes = new BinaryWriter().tag(field.number, WireType.LengthDelimited).finish().length;
    for (let at = 0; at < list.length; at += AT_ONCE) {
      const piece = toBinary(schema, create(schema, { [field.localName]: list.slice(at, at + AT_ONCE) }));
      // The first tag is written again from `no`; those of the others are in the bytes.
      encoded.push({ no: field.number, wireType: WireType.LengthDelimited, data: piece.subarray(tagBytes) });
      await setImmediate();
    }
    fields[field.localName] = [];
  }
  if (encoded.length === 0) return message;
  return { ...fields, $typeName: message.$typeName, $unknown: [...(message.$unknown ?? []), ...encoded] };
}
