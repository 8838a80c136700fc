import {
  bytesOfIpv4,
  bytesOfLatin1,
  decodeSubOptions,
  encodeSubOptions,
  equalBytes,
  RelayAgentCode,
  type Ipv4,
  type SubOption,
} from '@ingot/wire';

/** What a circuit id or remote id is made of. */
export const ID_FIELDS = ['hostname', 'port', 'alias', 'link', 'mac'] as const;
export type IdField = (typeof ID_FIELDS)[number];
export type IdValues = Readonly<Record<IdField, string>>;

/** A sub-option's length is one byte. */
const MAX_ID = 255;

/** The first field in braces that there is none of; undefined for a template that is fine. */
export function unknownIdField(template: string): string | undefined {
  return [...template.matchAll(/\{([^{}]*)\}/g)]
    .map(([, name = '']) => name)
    .find((name) => !ID_FIELDS.some((field) => field === name));
}

/** `{hostname}:{alias}` → `leaf1:Eth1/1`; cut to what fits. */
export function fillIn(template: string, values: IdValues): Uint8Array {
  const text = template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const field = ID_FIELDS.find((each) => each === name);
    return field === undefined ? whole : values[field];
  });
  return bytesOfLatin1(text).subarray(0, MAX_ID);
}

/** What we say of a request in option 82. */
export interface AgentFacts {
  readonly circuitId: Uint8Array;
  readonly remoteId: Uint8Array;
  readonly linkSelection: Ipv4 | undefined;
  /** Our address on the link, for clients to take for their server's. */
  readonly serverIdOverride: Ipv4 | undefined;
  /** RFC 5010: goes with the override, for then some requests come to us alone. */
  readonly isUnicast: boolean;
  readonly vrf: string | undefined;
}

/** The value of option 82. The ids come first and together: by them it is known again. */
export function encodeAgent(facts: AgentFacts): Uint8Array {
  const { linkSelection, serverIdOverride, isUnicast, vrf } = facts;
  const subOptions: SubOption[] = [
    { code: RelayAgentCode.CIRCUIT_ID, data: facts.circuitId },
    { code: RelayAgentCode.REMOTE_ID, data: facts.remoteId },
  ];
  if (linkSelection !== undefined)
    subOptions.push({ code: RelayAgentCode.LINK_SELECTION, data: bytesOfIpv4(linkSelection) });
  if (serverIdOverride !== undefined) {
    subOptions.push({ code: RelayAgentCode.RELAY_FLAGS, data: Uint8Array.of(isUnicast ? 0x80 : 0) });
    subOptions.push({ code: RelayAgentCode.SERVER_ID_OVERRIDE, data: bytesOfIpv4(serverIdOverride) });
  }
  if (vrf !== undefined) {
    // RFC 6607 §3.4: type 0 is a name; a server that knows the option takes 152 out of its answer.
    const name = bytesOfLatin1(vrf);
    subOptions.push({ code: RelayAgentCode.VIRTUAL_SUBNET, data: Uint8Array.of(0, ...name) });
    subOptions.push({ code: RelayAgentCode.VIRTUAL_SUBNET_CONTROL, data: new Uint8Array(0) });
  }
  return encodeSubOptions(subOptions, 'plain');
}

/** Option 82 of an answer, taken apart into what was there before us, and ours. */
export interface EchoedAgent {
  readonly before: Uint8Array;
  /** Undefined: none of it is ours. */
  readonly own: readonly SubOption[] | undefined;
}

/** Finds our part in an echoed option 82 by our remote id. Undefined where it is no row of sub-options. */
export function splitEchoed(value: Uint8Array, remoteId: Uint8Array): EchoedAgent | undefined {
  const decoded = decodeSubOptions(value, 'plain');
  if (!decoded.ok) return undefined;
  const all = decoded.value;
  const start = all.findLastIndex(
    ({ code }, index) =>
      code === RelayAgentCode.CIRCUIT_ID &&
      all[index + 1]?.code === RelayAgentCode.REMOTE_ID &&
      equalBytes(all[index + 1]?.data ?? new Uint8Array(0), remoteId),
  );
  if (start < 0) return { before: value, own: undefined };
  return { before: encodeSubOptions(all.slice(0, start), 'plain'), own: all.slice(start) };
}
