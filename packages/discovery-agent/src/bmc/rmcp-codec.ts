/** Packets of RMCP+, IPMI 2.0, chapter 13: those that open a session and close it. */

/** 13.27.3. */
export const PayloadType = {
  Ipmi: 0x00,
  OpenSessionRequest: 0x10,
  OpenSessionResponse: 0x11,
  Rakp1: 0x12,
  Rakp2: 0x13,
  Rakp3: 0x14,
  Rakp4: 0x15,
} as const;
export type PayloadType = (typeof PayloadType)[keyof typeof PayloadType];

/** Table 13-3: version 1.0, no RMCP acknowledgement, class IPMI. */
const rmcpHeader = [0x06, 0x00, 0xff, 0x07] as const;
const rmcpPlus = 0x06;
/** Payload type, session id, sequence number and length follow. */
const packetHeader = rmcpHeader.length + 12;
const administrator = 0x04;
/** The user is looked for by name alone, whatever privilege others of that name have. */
const nameOnly = 0x10;

/** Algorithms of a cipher suite (tables 13-17 to 13-19). */
export interface CipherSuite {
  readonly authentication: number;
  readonly integrity: number;
  readonly confidentiality: number;
  readonly hash: 'sha1' | 'sha256';
  /** Bytes of the hash that prove integrity. */
  readonly proof: number;
}

/** Table 22-20: suites 17 and 3, the better first. Nobody else's are fit for a password. */
export const cipherSuites: readonly CipherSuite[] = [
  { authentication: 3, integrity: 4, confidentiality: 1, hash: 'sha256', proof: 16 },
  { authentication: 1, integrity: 1, confidentiality: 1, hash: 'sha1', proof: 12 },
];

/** A packet outside of a session. */
export function encodePacket(type: PayloadType, payload: Uint8Array): Uint8Array {
  const packet = Buffer.alloc(packetHeader + payload.length);
  packet.set(rmcpHeader);
  packet[4] = rmcpPlus;
  packet[5] = type;
  packet.writeUInt16LE(payload.length, 14);
  packet.set(payload, packetHeader);
  return packet;
}

/** The payload of a packet of this type; undefined for everything else that may come. */
export function decodePacket(packet: Uint8Array, type: PayloadType): Buffer | undefined {
  const bytes = Buffer.from(packet);
  if (bytes.length < packetHeader || rmcpHeader.some((byte, index) => index !== 2 && bytes[index] !== byte)) return;
  if (bytes[4] !== rmcpPlus || bytes[5] !== type) return;
  const length = bytes.readUInt16LE(14);
  return bytes.length < packetHeader + length ? undefined : bytes.subarray(packetHeader, packetHeader + length);
}

/** 13.17 */
export function openSessionRequest(tag: number, consoleId: Uint8Array, suite: CipherSuite): Uint8Array {
  const algorithm = (kind: number, value: number): number[] => [kind, 0, 0, 8, value, 0, 0, 0];
  return Uint8Array.of(
    tag,
    administrator,
    0,
    0,
    ...consoleId,
    ...algorithm(0, suite.authentication),
    ...algorithm(1, suite.integrity),
    ...algorithm(2, suite.confidentiality),
  );
}

/** Role, length of the name, and name: what both sides put under their hashes (13.31). */
export function identity(user: string): Uint8Array {
  const name = Buffer.from(user, 'latin1').subarray(0, 16);
  return Uint8Array.of(nameOnly | administrator, name.length, ...name);
}

/** 13.20 */
export function rakp1(tag: number, bmcId: Uint8Array, consoleRandom: Uint8Array, user: string): Uint8Array {
  const [role = 0, ...name] = identity(user);
  return Uint8Array.of(tag, 0, 0, 0, ...bmcId, ...consoleRandom, role, 0, 0, ...name);
}

/** 13.22 */
export function rakp3(tag: number, bmcId: Uint8Array, code: Uint8Array): Uint8Array {
  return Uint8Array.of(tag, 0, 0, 0, ...bmcId, ...code);
}

export interface RakpAnswer {
  readonly status: number;
  /** Behind tag, status, two reserved bytes and the console's session id; empty with an error status. */
  readonly body: Buffer;
}

/** Open Session Response, RAKP 2 and RAKP 4 begin alike. Undefined unless it answers `tag` of the session `consoleId`. */
export function parseRakp(payload: Buffer, tag: number, consoleId: Uint8Array): RakpAnswer | undefined {
  const [gotTag, status] = payload;
  if (gotTag !== tag || status === undefined) return;
  if (status !== 0) return { status, body: Buffer.alloc(0) };
  return payload.subarray(4, 8).equals(consoleId) ? { status, body: payload.subarray(8) } : undefined;
}

/** Table 13-15, as far as a user's rights go. */
export function rakpStatus(status: number): string {
  const meanings: Readonly<Record<number, string>> = {
    0x01: 'it has no room for another session',
    0x09: 'it does not let this user in as administrator',
    0x0d: 'it does not know this user',
    0x0f: 'the password is another one',
    0x11: 'it has none of the cipher suites 17 and 3',
  };
  return meanings[status] ?? `status 0x${status.toString(16).padStart(2, '0')}`;
}
