import type { Port } from './ports.ts';

/**
 * Which of a port's two names the API knows it by. Distributions disagree on which one LLDP announces, and the API
 * matches what a machine sees against `identifier`.
 * `default`: name = port, identifier = alias. `swap`: the other way round. `name`, `alias`: that one for both.
 */
export const NAMING_SCHEMAS = ['default', 'swap', 'name', 'alias'] as const;
export type NamingSchema = (typeof NAMING_SCHEMAS)[number];

/** A port under the names that the API uses. */
export interface NamedPort {
  /** The SONiC name, for CONFIG_DB and the netdev. */
  readonly port: string;
  /** `SwitchNic.name`. */
  readonly nicName: string;
  /** `SwitchNic.identifier`. */
  readonly identifier: string;
}

export interface PortNames {
  /** The ports that can be registered, in the order given. */
  readonly ports: readonly NamedPort[];
  /** Ports that the API would refuse, and with them the whole switch. */
  readonly refused: ReadonlyArray<{ readonly port: string; readonly reason: string }>;
  /** The SONiC port behind a nic of the API's, undefined when there is none. */
  portOf(nicName: string): string | undefined;
}

const MIN_NAME = 2;
const MAX_NAME = 128;

/** Names the ports for the API. A port without an alias is announced under its name, as SONiC's lldpmgrd does. */
export function namePorts(schema: NamingSchema, ports: readonly Port[]): PortNames {
  const named: NamedPort[] = [];
  const refused: Array<{ port: string; reason: string }> = [];
  const byNicName = new Map<string, string>();
  const byIdentifier = new Map<string, string>();
  for (const { name, alias = name } of ports) {
    const [nicName, identifier] = CHOOSE[schema](name, alias);
    const reason =
      lengthProblem('name', nicName) ??
      lengthProblem('identifier', identifier) ??
      duplicate('name', nicName, byNicName) ??
      duplicate('identifier', identifier, byIdentifier);
    if (reason !== undefined) {
      refused.push({ port: name, reason });
      continue;
    }
    byNicName.set(nicName, name);
    byIdentifier.set(identifier, name);
    named.push({ port: name, nicName, identifier });
  }
  return { ports: named, refused, portOf: (nicName) => byNicName.get(nicName) };
}

type Choose = (name: string, alias: string) => readonly [nicName: string, identifier: string];

const CHOOSE: Readonly<Record<NamingSchema, Choose>> = {
  default: (name, alias) => [name, alias],
  swap: (name, alias) => [alias, name],
  name: (name) => [name, name],
  alias: (_name, alias) => [alias, alias],
};

function lengthProblem(what: string, text: string): string | undefined {
  if (text.length >= MIN_NAME && text.length <= MAX_NAME) return undefined;
  return `the ${what} "${text}" has ${text.length} characters, the API takes ${MIN_NAME} to ${MAX_NAME}; change the alias in CONFIG_DB or the namingSchema`;
}

function duplicate(what: string, text: string, taken: ReadonlyMap<string, string>): string | undefined {
  const other = taken.get(text);
  return other === undefined
    ? undefined
    : `the ${what} "${text}" is that of ${other} too; give them different aliases in CONFIG_DB`;
}
