import { createCipheriv, createHmac } from 'node:crypto';
import type { Clock, Endpoint, Entropy, Network, UdpSocket } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import type { BmcAccount } from './bmc.ts';
import * as codec from './rmcp-codec.ts';

export type Login =
  | { readonly kind: 'accepted' }
  /** It is the user or the password. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nothing is known: as a rule the BMC is on a network of its own. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface LoginParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signal: AbortSignal;
}

const answerPauseMs = 500;
const loginTries = 4;
/** Table 13-15: algorithms that it does not have, and no cipher suite match. */
const noSuchSuite = 0x11;
const otherSuiteWanted: readonly number[] = [0x04, 0x05, 0x10, noSuchSuite];
/** … no rights for the role, an unknown name, and a wrong hash. */
const aboutTheUser: readonly number[] = [0x09, 0x0d, 0x0f];

/**
 * Logs in as administrator over the LAN, as whoever manages the machine will do, and out again. The password is not sent:
 * both sides prove by RAKP (IPMI 2.0, 13.28) that they know it.
 */
export async function logIn(parts: LoginParts, target: Endpoint, account: BmcAccount): Promise<Login> {
  let socket: UdpSocket;
  try {
    socket = await parts.network.bindUdp({ address: target.address.includes(':') ? '::' : '0.0.0.0', port: 0 });
  } catch (error) {
    return { kind: 'unknown', reason: reasonOf(error) };
  }
  try {
    let last: Login | 'next suite' = 'next suite';
    for (const suite of codec.cipherSuites) {
      last = await new Attempt(parts, socket, target, suite).run(account);
      if (last !== 'next suite') return last;
    }
    return rejected(noSuchSuite);
  } finally {
    await socket.close();
  }
}

class Attempt {
  readonly #parts: LoginParts;
  readonly #socket: UdpSocket;
  readonly #target: Endpoint;
  readonly #suite: codec.CipherSuite;
  readonly #consoleId: Uint8Array;
  #tag: number;

  constructor(parts: LoginParts, socket: UdpSocket, target: Endpoint, suite: codec.CipherSuite) {
    this.#parts = parts;
    this.#socket = socket;
    this.#target = target;
    this.#suite = suite;
    this.#consoleId = parts.entropy.bytes(4);
    this.#tag = parts.entropy.int(0x80);
  }

  async run({ user, password }: BmcAccount): Promise<Login | 'next suite'> {
    const { PayloadType } = codec;
    const opened = await this.#exchange(PayloadType.OpenSessionRequest, PayloadType.OpenSessionResponse, (tag) =>
      codec.openSessionRequest(tag, this.#consoleId, this.#suite),
    );
    if (opened === undefined) return { kind: 'unknown', reason: `no answer from ${this.#target.address}` };
    if (otherSuiteWanted.includes(opened.status)) return 'next suite';
    if (opened.status !== 0) return rejected(opened.status);
    const bmcId = opened.body.subarray(0, 4);

    const random = this.#parts.entropy.bytes(16);
    const second = await this.#exchange(PayloadType.Rakp1, PayloadType.Rakp2, (tag) =>
      codec.rakp1(tag, bmcId, random, user),
    );
    if (second === undefined) return silent('RAKP 1');
    if (second.status !== 0) return rejected(second.status);
    const bmcRandom = second.body.subarray(0, 16);
    const guid = second.body.subarray(16, 32);
    const who = codec.identity(user);
    const key = Buffer.from(password.reveal());
    const expected = this.#hash(key, this.#consoleId, bmcId, random, bmcRandom, guid, who);
    if (!expected.equals(second.body.subarray(32))) return { kind: 'refused', reason: 'the password is another one' };

    const code = this.#hash(key, bmcRandom, this.#consoleId, who);
    const fourth = await this.#exchange(PayloadType.Rakp3, PayloadType.Rakp4, (tag) => codec.rakp3(tag, bmcId, code));
    if (fourth === undefined) return silent('RAKP 3');
    if (fourth.status !== 0) return rejected(fourth.status);
    const sessionKey = this.#hash(key, random, bmcRandom, who);
    const proof = this.#hash(sessionKey, random, bmcId, guid).subarray(0, this.#suite.proof);
    if (!proof.equals(fourth.body)) return { kind: 'unknown', reason: 'it ends the login with a wrong proof' };
    await this.#close(bmcId, sessionKey);
    return { kind: 'accepted' };
  }

  #hash(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
    const hmac = createHmac(this.#suite.hash, key);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }

  /** Sends until the answer comes; undefined when it never does. */
  async #exchange(
    type: codec.PayloadType,
    answerType: codec.PayloadType,
    build: (tag: number) => Uint8Array,
  ): Promise<codec.RakpAnswer | undefined> {
    const { clock, signal } = this.#parts;
    const tag = this.#tag++;
    let answer: codec.RakpAnswer | undefined;
    const arrived = new AbortController();
    this.#socket.onDatagram(({ data, source }) => {
      if (source.address !== this.#target.address || source.port !== this.#target.port) return;
      const payload = codec.decodePacket(data, answerType);
      answer ??= payload && codec.parseRakp(payload, tag, this.#consoleId);
      if (answer !== undefined) arrived.abort();
    });
    const packet = codec.encodePacket(type, build(tag));
    const patience = AbortSignal.any([signal, arrived.signal]);
    for (let tried = 1; tried <= loginTries && !arrived.signal.aborted; tried++) {
      // A network that cannot be reached is silence, too.
      await this.#socket.send(packet, this.#target).catch(() => undefined);
      await clock.sleep(answerPauseMs, patience).catch(() => undefined);
      signal.throwIfAborted();
    }
    return answer;
  }

  /** Close Session, 22.19, encrypted as 13.29 has it. Unanswered: a session that stays is closed by the BMC in a minute. */
  async #close(bmcId: Uint8Array, sessionKey: Uint8Array): Promise<void> {
    const k1 = this.#hash(sessionKey, Buffer.alloc(20, 1));
    const k2 = this.#hash(sessionKey, Buffer.alloc(20, 2));
    const head = [0x20, 0x06 << 2];
    const body = [0x81, 0x01 << 2, 0x3c, ...bmcId];
    const message = Buffer.from([...head, checksum(head), ...body, checksum(body)]);
    // AES blocks of 16: the padding counts 1, 2, 3 and is followed by its length.
    const padding = 15 - (message.length % 16);
    const plain = Buffer.concat([message, Buffer.from([...Array.from({ length: padding }, (_, n) => n + 1), padding])]);
    const vector = this.#parts.entropy.bytes(16);
    const cipher = createCipheriv('aes-128-cbc', k2.subarray(0, 16), vector).setAutoPadding(false);
    const payload = Buffer.concat([vector, cipher.update(plain), cipher.final()]);
    const header = Buffer.alloc(12);
    // Encrypted and authenticated.
    header.set([0x06, 0xc0, ...bmcId, 1]);
    header.writeUInt16LE(payload.length, 10);
    // The trailer ends on a multiple of four: padding, its length, "next header" 7.
    const gap = (4 - ((header.length + payload.length + 2) % 4)) % 4;
    const signed = Buffer.concat([header, payload, Buffer.alloc(gap, 0xff), Buffer.from([gap, 0x07])]);
    const code = this.#hash(k1, signed).subarray(0, this.#suite.proof);
    const packet = Buffer.concat([Buffer.from([0x06, 0x00, 0xff, 0x07]), signed, code]);
    await this.#socket.send(packet, this.#target).catch(() => undefined);
  }
}

function rejected(status: number): Login {
  return { kind: aboutTheUser.includes(status) ? 'refused' : 'unknown', reason: codec.rakpStatus(status) };
}

function silent(what: string): Login {
  return { kind: 'unknown', reason: `no answer to ${what}` };
}

function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
