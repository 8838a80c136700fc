import { create, ScalarType, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { FieldRule, TextFormat } from '../src/validate/rule.ts';
import { ruleTable } from '../src/validate/rule-table.ts';

/** Neighbours of neighbours nest without end. */
const MAX_DEPTH = 6;
const TIMES: ReadonlySet<string> = new Set([DurationSchema.typeName, TimestampSchema.typeName]);

/** A message with every field set (of a oneof the first), each to a value of its own that the contract's rules allow. */
export function fillMessage(schema: DescMessage): Message {
  let count = 0;
  const next = (): number => (count += 1);

  const text = (format: TextFormat | undefined, length: FieldRule['length']): string => {
    const number = next();
    const byte = 1 + (number % 250);
    const made: Readonly<Record<TextFormat, string>> = {
      uuid: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      mac: `52:54:00:00:00:${byte.toString(16).padStart(2, '0')}`,
      uri: `http://host/${number}`,
      hostname: `host${number}`,
      ip: `10.0.0.${byte}`,
      'ip-prefix': `10.${byte}.0.0/16`,
      'ip-or-hostname': `host${number}.lab`,
      'host-and-port': `host${number}:443`,
      base64: Buffer.from(`secret-${number}`.padEnd(12, '-')).toString('base64'),
      'any-or-uuid': `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      'any-or-login': `login${number}`,
      'rule-comment': 'let it in',
    };
    return format === undefined ? `text${number}`.padEnd(length?.[0] ?? 0, 'x') : made[format];
  };
  const amount = ({ min, max, below }: FieldRule): number => {
    const most = max ?? (below === undefined ? 1_000_000 : below - 1);
    return Math.min(Math.max(next(), min ?? 0), most);
  };
  const scalar = (type: ScalarType, rule: FieldRule): unknown => {
    switch (type) {
      case ScalarType.STRING:
        return text(rule.format, rule.length);
      case ScalarType.BOOL:
        return true;
      case ScalarType.BYTES:
        return Uint8Array.of(next() & 0xff, 0, 0xff);
      case ScalarType.DOUBLE:
      case ScalarType.FLOAT:
        return amount(rule) + 0.5;
      case ScalarType.INT64:
      case ScalarType.UINT64:
      case ScalarType.SINT64:
      case ScalarType.FIXED64:
      case ScalarType.SFIXED64:
        return BigInt(amount(rule));
      default:
        return amount(rule);
    }
  };
  const message = (desc: DescMessage, rule: FieldRule, depth: number): Message =>
    TIMES.has(desc.typeName)
      ? create(desc, { seconds: BigInt(Math.ceil(rule.min ?? 0) + next()), nanos: 1_000 })
      : filled(desc, depth + 1);
  const value = (field: DescField, rule: FieldRule, depth: number): unknown => {
    if (field.message !== undefined) return message(field.message, rule, depth);
    if (field.enum !== undefined) return field.enum.values.find(({ number }) => number !== 0)?.number ?? 0;
    return scalar(field.scalar ?? ScalarType.STRING, rule);
  };
  const filled = (desc: DescMessage, depth: number): Message => {
    const init: Record<string, unknown> = {};
    for (const field of desc.fields) {
      const rule = ruleTable[desc.typeName]?.[field.name] ?? {};
      if (field.message !== undefined && depth >= MAX_DEPTH && rule.required !== true) continue;
      const items = Math.max(1, rule.items?.[0] ?? 0);
      if (field.fieldKind === 'list')
        init[field.localName] = Array.from({ length: items }, () => value(field, rule, depth));
      else if (field.fieldKind === 'map')
        init[field.localName] = { [text(rule.keyFormat, undefined)]: value(field, rule, depth) };
      else if (field.oneof === undefined) init[field.localName] = value(field, rule, depth);
      else init[field.oneof.localName] ??= { case: field.localName, value: value(field, rule, depth) };
    }
    return create(desc, init);
  };
  return filled(schema, 0);
}
