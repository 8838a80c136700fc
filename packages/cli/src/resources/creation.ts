import { type DescMessage, enumText } from '@ingot/api';
import { type Command, Option } from 'commander';
import { CliError, CliErrorCode } from '../errors.ts';
import { parsePair } from '../options.ts';
import type { Json } from '../output.ts';
import type { JsonObject, Resource } from './resource.ts';

type DescField = DescMessage['fields'][number];
type DescEnum = Parameters<typeof enumText>[0];

/** What fields are, by their names in the contract; those of several kinds have the same meaning in each. */
const MEANINGS: Readonly<Record<string, string>> = {
  id: 'how it is called in commands',
  name: 'how it is called for people',
  description: 'what it is for',
  login: 'how it is called in commands',
  email: 'where its people are reached',
  avatarUrl: 'where its picture is',
  tenant: 'login of the tenant that it belongs to',
  project: 'uuid of the project that it belongs to',
  partition: 'where it is',
  partitions: 'where machines are kept',
  size: 'id of the size',
  amount: 'how many machines are kept',
  network: 'id of the network that it is of',
  ip: 'this very address; default: a free one',
  dnsServers: 'whom machines ask for names',
  ntpServers: 'whom machines ask for the time',
  mgmtServiceAddresses: 'addresses of the management services',
  url: 'where it is fetched from',
  features: 'what may be made of a machine with it',
  classification: 'whether it may be installed',
  expiresAt: 'until when it may be installed, such as 2027-01-31T00:00:00Z',
  type: 'what kind it is',
  natType: 'what happens to the addresses of what leaves it',
  prefixes: 'its prefixes, such as 10.0.0.0/16',
  destinationPrefixes: 'what is reached through it, such as 0.0.0.0/0',
  vrf: 'number of its VRF; default: a free one',
  parentNetwork: 'id of the network that its prefixes are taken from',
  additionalAnnouncableCidrs: 'what else its machines may announce',
};

/** A field that can be given as a flag, and the JSON that it makes of what was written. */
interface CreationField {
  readonly field: DescField;
  readonly option: Option;
  readonly json: (given: string | readonly string[]) => Json;
}

/**
 * Adds a flag for each field of a kind that is text, a number, a word of a list, or several of these. What is nested
 * deeper takes a document.
 */
export function withCreationFlags(command: Command, resource: Resource): Command {
  for (const { option } of fieldsOf(resource)) command.addOption(option);
  return command.option('--label <key=value>', 'a label; may be repeated', parsePair);
}

/** The document that the flags of `withCreationFlags` make; empty when none was given. */
export function documentOf(resource: Resource, flags: Readonly<Record<string, unknown>>): JsonObject {
  const document: Record<string, Json> = {};
  for (const { field, option, json } of fieldsOf(resource)) {
    const given = flags[option.attributeName()];
    if (typeof given === 'string' || isTexts(given)) document[field.jsonName] = json(given);
  }
  const labels = flags['label'];
  if (typeof labels === 'object' && labels !== null)
    document['meta'] = {
      labels: { labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])) },
    };
  return document;
}

/** Throws CliError naming the flags without which nothing can be made. */
export function checkNeeds(resource: Resource, document: JsonObject): void {
  const missing = resource.needs.filter((name) => document[name] === undefined).map(flagOf);
  if (missing.length > 0)
    throw new CliError(
      CliErrorCode.Argument,
      `a ${resource.kind} needs ${missing.join(' and ')}, or a document with -f`,
    );
}

function flagOf(jsonName: string): string {
  return `--${jsonName.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function fieldsOf({ schema, made }: Resource): CreationField[] {
  return schema.fields.flatMap((field) => {
    if (made.includes(field.localName)) return [];
    const one = single(field);
    if (one === undefined) return [];
    const flag = flagOf(field.jsonName);
    const isList = field.fieldKind === 'list';
    const value = `<${one.placeholder}${isList ? '...' : ''}>`;
    const option = new Option(`${flag} ${value}`, MEANINGS[field.localName]);
    if (one.words !== undefined) option.choices(one.words);
    const json = (given: string | readonly string[]): Json =>
      typeof given === 'string' ? one.json(given) : given.map(one.json);
    return [{ field, option, json }];
  });
}

interface Single {
  readonly placeholder: string;
  readonly words?: readonly string[];
  readonly json: (text: string) => Json;
}

/** How one value of a field is written on the command line; undefined when it cannot be. */
function single(field: DescField): Single | undefined {
  const asIs = (text: string): Json => text;
  if (field.scalar !== undefined && field.fieldKind !== 'map') {
    return { placeholder: field.localName === 'id' ? 'id' : 'value', json: asIs };
  }
  if (field.enum !== undefined && field.fieldKind !== 'map') {
    const words = wordsOf(field.enum);
    return { placeholder: 'word', words: [...words.keys()], json: (text) => words.get(text) ?? text };
  }
  if (field.message?.typeName === 'google.protobuf.Timestamp') return { placeholder: 'time', json: asIs };
  if (field.fieldKind !== 'list' || field.message === undefined) return undefined;
  // Servers are messages of one field each.
  const [only, more] = field.message.fields;
  return only?.scalar === undefined || more !== undefined
    ? undefined
    : { placeholder: only.localName, json: (text) => ({ [only.jsonName]: text }) };
}

function wordsOf(desc: DescEnum): ReadonlyMap<string, string> {
  return new Map(desc.values.filter(({ number }) => number !== 0).map((one) => [enumText(desc, one.number), one.name]));
}
