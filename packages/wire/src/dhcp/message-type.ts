/** Values of option 53: RFC 2132 §9.6, RFC 3203, RFC 4388, RFC 6926. */
export const MessageType = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
  INFORM: 8,
  FORCERENEW: 9,
  LEASEQUERY: 10,
  LEASEUNASSIGNED: 11,
  LEASEUNKNOWN: 12,
  LEASEACTIVE: 13,
  BULKLEASEQUERY: 14,
  LEASEQUERYDONE: 15,
} as const;

export type MessageType = (typeof MessageType)[keyof typeof MessageType];

const NAMES: readonly string[] = ['', ...Object.keys(MessageType)];

/** `DISCOVER` for 1; `type 42` for a number that no RFC names. */
export function messageTypeName(type: number): string {
  return NAMES[type] || `type ${type}`;
}
