/** `msg-type` (RFC 8415 §7.3); those that a server of addresses meets. */
export const Dhcp6MessageType = {
  SOLICIT: 1,
  ADVERTISE: 2,
  REQUEST: 3,
  CONFIRM: 4,
  RENEW: 5,
  REBIND: 6,
  REPLY: 7,
  RELEASE: 8,
  DECLINE: 9,
  RECONFIGURE: 10,
  INFORMATION_REQUEST: 11,
  RELAY_FORW: 12,
  RELAY_REPL: 13,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Dhcp6MessageType).map(([name, type]) => [type, name.replaceAll('_', '-')]),
);

/** For logs: `SOLICIT`, `INFORMATION-REQUEST`, or `type 42`. */
export function dhcp6MessageTypeName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}
