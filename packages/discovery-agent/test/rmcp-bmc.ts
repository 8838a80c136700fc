import { createDecipheriv, createHmac } from 'node:crypto';
import type { Datagram, UdpSocket } from '@ingot/net';

/** What it says wrong, for once. */
export type RmcpFault = 'wrong-code' | 'wrong-proof' | 'cut' | 'silent-at-rakp-1' | 'full';

export interface RmcpBmcOptions {
  readonly socket: UdpSocket;
  readonly user: string;
  readonly password: string;
  /** Authentication algorithms that it has: 1 is HMAC-SHA1, 3 is HMAC-SHA256. */
  readonly algorithms: readonly number[];
  readonly fault?: RmcpFault;
}

interface Session {
  readonly consoleId: Buffer;
  readonly algorithm: number;
  consoleRandom: Buffer;
  who: Buffer;
}

const bmcId = Buffer.from([0x84, 0, 0, 1]);
const bmcRandom = Buffer.alloc(16, 0xb5);
const guid = Buffer.from('4c4c454400423510805200b4c04f4e33', 'hex');

/**
 * The BMC's side of a login by RMCP+ (IPMI 2.0, 13.17 to 13.24), and of the command that ends it. ipmitool 1.8.19 opens and
 * closes sessions with it by suites 3 and 17.
 */
export class RmcpBmc {
  readonly #options: RmcpBmcOptions;
  #session: Session | undefined;
  /** Sessions that were open to the end of the login, and those that were closed again. */
  opened = 0;
  closed = 0;

  constructor(options: RmcpBmcOptions) {
    this.#options = options;
    options.socket.onDatagram((datagram) => this.#take(datagram));
  }

  #take({ data, source }: Datagram): void {
    const packet = Buffer.from(data);
    const payload = packet.subarray(16);
    const answer = this.#answer(packet[5] ?? 0, packet, payload);
    if (answer === undefined) return;
    const header = Buffer.from([6, 0, 0xff, 7, 6, (packet[5] ?? 0) + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt16LE(answer.length, 14);
    const whole = Buffer.concat([header, answer]);
    void this.#options.socket.send(this.#options.fault === 'cut' ? whole.subarray(0, 30) : whole, source);
  }

  #answer(type: number, packet: Buffer, payload: Buffer): Buffer | undefined {
    const tag = payload[0] ?? 0;
    const failure = (status: number): Buffer => Buffer.from([tag, status]);
    if (type === 0x10) {
      const algorithm = payload[12] ?? 0;
      if (this.#options.fault === 'full') return failure(0x01);
      if (!this.#options.algorithms.includes(algorithm)) return failure(0x04);
      const consoleId = payload.subarray(4, 8);
      this.#session = { consoleId, algorithm, consoleRandom: Buffer.alloc(16), who: Buffer.alloc(0) };
      return Buffer.concat([Buffer.from([tag, 0, 4, 0]), consoleId, bmcId, payload.subarray(8, 32)]);
    }
    const session = this.#session;
    if (session === undefined) return undefined;
    if (type === 0xc0) this.#close(session, packet);
    if (type === 0x12) {
      if (this.#options.fault === 'silent-at-rakp-1') return undefined;
      session.consoleRandom = payload.subarray(8, 24);
      const role = payload.subarray(24, 25);
      session.who = Buffer.concat([role, payload.subarray(27)]);
      if (payload.subarray(28).toString() !== this.#options.user) return failure(0x0d);
      const { consoleId, consoleRandom, who } = session;
      const code = this.#hash(this.#key(), consoleId, bmcId, consoleRandom, bmcRandom, guid, who);
      if (this.#options.fault === 'wrong-code') code[0] = (code[0] ?? 0) ^ 1;
      return Buffer.concat([Buffer.from([tag, 0, 0, 0]), consoleId, bmcRandom, guid, code]);
    }
    if (type === 0x14) {
      const expected = this.#hash(this.#key(), bmcRandom, session.consoleId, session.who);
      if (!expected.equals(payload.subarray(8))) return failure(0x0f);
      this.opened += 1;
      const proof = this.#hash(this.#sessionKey(session), session.consoleRandom, bmcId, guid);
      if (this.#options.fault === 'wrong-proof') proof[0] = (proof[0] ?? 0) ^ 1;
      return Buffer.concat([Buffer.from([tag, 0, 0, 0]), session.consoleId, proof.subarray(0, this.#proofLength())]);
    }
    return undefined;
  }

  /** 13.28.4, 13.29: AES-CBC-128 under K2, and a code under K1 behind it. */
  #close(session: Session, packet: Buffer): void {
    const key = this.#sessionKey(session);
    const signed = packet.subarray(4, packet.length - this.#proofLength());
    const code = this.#hash(this.#hash(key, Buffer.alloc(20, 1)), signed).subarray(0, this.#proofLength());
    if (!code.equals(packet.subarray(packet.length - this.#proofLength())) || signed.length % 4 !== 0) return;
    const payload = packet.subarray(16, 16 + packet.readUInt16LE(14));
    const decipher = createDecipheriv(
      'aes-128-cbc',
      this.#hash(key, Buffer.alloc(20, 2)).subarray(0, 16),
      payload.subarray(0, 16),
    ).setAutoPadding(false);
    const plain = Buffer.concat([decipher.update(payload.subarray(16)), decipher.final()]);
    const message = plain.subarray(0, plain.length - 1 - (plain.at(-1) ?? 0));
    // To the BMC, network function App, from the remote console, Close Session of this session.
    const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 0xff;
    const isWhole = sum(message.subarray(0, 3)) === 0 && sum(message.subarray(3)) === 0;
    if (isWhole && message[5] === 0x3c && message.subarray(6, 10).equals(bmcId)) this.closed += 1;
  }

  #key(): Buffer {
    return Buffer.alloc(20).fill(this.#options.password, 0, this.#options.password.length);
  }

  #sessionKey({ consoleRandom, who }: Session): Buffer {
    return this.#hash(this.#key(), consoleRandom, bmcRandom, who);
  }

  #hash(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
    return createHmac(this.#session?.algorithm === 3 ? 'sha256' : 'sha1', key)
      .update(Buffer.concat(parts))
      .digest();
  }

  #proofLength(): number {
    return this.#session?.algorithm === 3 ? 16 : 12;
  }
}
