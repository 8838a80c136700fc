import type { DescEnum, DescMessage } from '@ingot/api';
import { nearNames } from '../near-names.ts';

/** What is wrong with a document that is no message of this kind, in words for whoever has written it. */
export function jsonProblem(schema: DescMessage, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const { messages, enums } = typesWithin(schema);
  const [, type = '', key = ''] = /cannot decode message (\S+) from JSON: key "(.*)" is unknown$/.exec(message) ?? [];
  const owner = messages.get(type);
  if (owner !== undefined) {
    const within = owner === schema ? '' : ` in ${owner.name}`;
    const names = owner.fields.map(({ jsonName }) => jsonName);
    return `there is no field "${key}"${within}; ${meant(key, names)}`;
  }
  const [, kind = '', value = ''] = /cannot decode enum (\S+) from JSON: "?([^"]*)"?$/.exec(message) ?? [];
  const words = enums.get(kind);
  if (words !== undefined) {
    const names = words.values.filter(({ number }) => number !== 0).map(({ name }) => name);
    return `"${value}" is none of ${names.join(', ')}`;
  }
  const [, place = '', reason = ''] = /cannot decode field (\S+) from JSON: (.*)$/s.exec(message) ?? [];
  const at = place.lastIndexOf('.');
  const parent = messages.get(place.slice(0, at));
  const field = parent?.fields.find(({ name }) => name === place.slice(at + 1));
  if (parent !== undefined && field !== undefined)
    return `${field.jsonName}${parent === schema ? '' : ` of ${parent.name}`}: ${plainly(reason)}`;
  const [, wrong = '', given = ''] = /cannot decode message (\S+) from JSON: (.*)$/s.exec(message) ?? [];
  const shape = messages.get(wrong);
  if (shape === undefined) return message;
  return wrong.startsWith('google.protobuf.')
    ? `${shape.name}: ${given}`
    : `a ${shape.name} is written with its fields, ${shape.fields.map(({ jsonName }) => jsonName).join(', ')}, not as ${given}`;
}

function plainly(reason: string): string {
  return reason
    .replace(/^expected Array,/, 'expected a list,')
    .replace(/^expected bigint \(u\w+\): (.*) out of range$/, 'expected a whole number from 0, got $1')
    .replace(/^expected bigint \(\w+\): (.*) out of range$/, 'expected a whole number, got $1');
}

function meant(typed: string, names: readonly string[]): string {
  const near = nearNames(typed, names);
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${names.join(', ')}`;
}

/** All that a message is made of, by the names that errors have for it. */
function typesWithin(schema: DescMessage): {
  readonly messages: ReadonlyMap<string, DescMessage>;
  readonly enums: ReadonlyMap<string, DescEnum>;
} {
  const messages = new Map<string, DescMessage>();
  const enums = new Map<string, DescEnum>();
  const look = (message: DescMessage): void => {
    if (messages.has(message.typeName)) return;
    messages.set(message.typeName, message);
    for (const field of message.fields) {
      if (field.enum !== undefined) enums.set(field.enum.typeName, field.enum);
      if (field.message !== undefined) look(field.message);
    }
  };
  look(schema);
  return { messages, enums };
}
