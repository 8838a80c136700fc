import { fromJson, type DescMessage, type MessageShape } from '@ingot/api';

/**
 * A message as `toJsonString` has written it into a column; fields of a newer program are left out. `fromJsonString` would
 * look for keys that come twice as well, which takes as long as all the rest, and none do in what we wrote ourselves.
 */
export function readBody<Schema extends DescMessage>(schema: Schema, body: string): MessageShape<Schema> {
  const json: Parameters<typeof fromJson>[1] = JSON.parse(body);
  return fromJson(schema, json, { ignoreUnknownFields: true });
}
