import type { BmcPolicy } from '../src/bmc/configure-bmc.ts';
import { CompletionCode } from '../src/bmc/ipmi.ts';
import type { Ipmi, IpmiCommand } from '../src/bmc/ipmi.ts';

/** The agent's own, unless the boot server says otherwise. */
export const policyOfMetal: BmcPolicy = { userName: 'metal', bootOrder: undefined, required: false };

export interface FakeUser {
  name: string;
  password: string;
  size: 16 | 20;
  enabled: boolean;
  messaging: boolean;
  privilege: number;
}

export interface FakeLan {
  ip: readonly number[];
  mac: readonly number[];
  /** 1 static, 2 DHCP. */
  source: number;
  /** Static IPv6 addresses, as 16 bytes each. */
  ipv6: readonly (readonly number[])[];
}

/** What a handler answers: data, or a completion code that says no. */
export type FakeAnswer = readonly number[] | { readonly code: number };
type Handler = (data: readonly number[]) => FakeAnswer;

const refuse = (code: number): FakeAnswer => ({ code });
const noUser = (): FakeUser => ({ name: '', password: '', size: 16, enabled: false, messaging: false, privilege: 0 });

/** A BMC in memory that does what IPMI 2.0 says about the commands of the agent. Its state is public, to be set and looked at. */
export class FakeBmc implements Ipmi {
  readonly name = '/dev/ipmi0';
  /** Names of the commands that came, in order. */
  readonly asked: string[] = [];
  readonly users: FakeUser[];
  fixedNames = 1;
  /** Always available, up to administrator. */
  channelAccess: readonly number[] = [0x02, 0x04];
  lans: Record<number, FakeLan> = {
    1: { ip: [10, 0, 0, 101], mac: [0x02, 0, 0, 0xbb, 0, 0x65], source: 1, ipv6: [] },
  };
  /** Device 0x20, firmware 1.74, IPMI 2.0, Supermicro. */
  deviceId: readonly number[] = [0x20, 0x81, 0x01, 0x74, 0x02, 0x9f, 0x7c, 0x2a, 0x00, 0x21, 0x0b];
  fru: Uint8Array = new Uint8Array();
  /** Bytes that it counts the FRU in: 2 on those that access it by words. */
  fruUnit = 1;
  /** Longest piece of the FRU that it hands out. */
  fruChunk = 255;
  passwordSizes: readonly number[] = [16, 20];
  /** Bytes of a password that it compares; 0: it says yes to all of them. */
  compares = 20;
  bootFlags: readonly number[] = [0, 0, 0, 0, 0];
  /** What it tells its own machine for Redfish: fingerprint of the certificate, and an account. */
  redfish: { fingerprint?: Uint8Array; readonly user: string; readonly password: string } | undefined;
  closed = false;
  /** Takes precedence; undefined lets the command through. */
  fault: (command: IpmiCommand, data: readonly number[]) => FakeAnswer | 'silence' | Uint8Array | undefined = () =>
    undefined;

  constructor(slots = 16) {
    this.users = Array.from({ length: slots }, noUser);
    Object.assign(this.user(2), { name: 'ADMIN', password: 'ADMIN', enabled: true, messaging: true, privilege: 4 });
  }

  user(id: number): FakeUser {
    const user = this.users[id - 1];
    if (user === undefined) throw new RangeError(`there is no slot ${id}`);
    return user;
  }

  async send(command: IpmiCommand, data: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    this.asked.push(command.name);
    const fault = this.fault(command, [...data]);
    if (fault === 'silence')
      return new Promise((_resolve, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    if (fault instanceof Uint8Array) return fault;
    const handler = this.#handlers[`${command.netFn.toString(16)} ${command.command.toString(16)}`];
    const answer = fault ?? handler?.([...data]) ?? refuse(CompletionCode.InvalidCommand);
    return 'code' in answer ? Uint8Array.of(answer.code) : Uint8Array.of(0, ...answer);
  }

  close(): void {
    this.closed = true;
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    '0 1': () => [0x61, 0, 0, 0],
    '0 8': ([parameter, ...flags]) => {
      if (parameter === 5) this.bootFlags = flags;
      return [];
    },
    '0 9': ([parameter = 0]) => [1, parameter, ...this.bootFlags],
    '6 1': () => this.deviceId,
    '6 41': () => this.channelAccess,
    '6 42': ([channel = 0]) =>
      channel in this.lans ? [channel, 0x04, 0x01, 0x81, 0xf2, 0x1b, 0, 0, 0] : refuse(CompletionCode.InvalidField),
    '6 43': ([flags = 0, id = 0, privilege = 0]) => {
      const user = this.user(id & 0x3f);
      if ((flags & 0x80) !== 0) user.messaging = (flags & 0x10) !== 0;
      user.privilege = privilege & 0x0f;
      return [];
    },
    '6 44': ([, id = 0]) => {
      const user = this.users[id - 1];
      if (user === undefined) return refuse(CompletionCode.InvalidField);
      const access = (user.messaging ? 0x10 : 0) | user.privilege;
      return [this.users.length, user.enabled ? 0x41 : 0x81, this.fixedNames, access];
    },
    '6 45': ([id = 0, ...name]) => {
      if (id <= this.fixedNames) return refuse(CompletionCode.InvalidField);
      this.user(id).name = Buffer.from(name).toString('latin1').replace(/\0.*$/s, '');
      return [];
    },
    '6 46': ([id = 0]) => {
      const user = this.users[id - 1];
      if (user === undefined || user.name === '') return refuse(CompletionCode.InvalidField);
      return [...Buffer.alloc(16).fill(user.name, 0, user.name.length, 'latin1')];
    },
    '6 47': ([id = 0, operation = 0, ...bytes]) => this.#password(id, operation, bytes),
    '6 4c': () => [],
    '2c 1': () => {
      const fingerprint = this.redfish?.fingerprint;
      return fingerprint === undefined ? refuse(CompletionCode.InvalidCommand) : [0x52, 1, ...fingerprint];
    },
    '2c 2': () => {
      if (this.redfish === undefined) return refuse(CompletionCode.InvalidCommand);
      const text = (value: string): readonly number[] => [...Buffer.alloc(16).fill(value, 0, value.length, 'latin1')];
      return [0x52, ...text(this.redfish.user), ...text(this.redfish.password)];
    },
    'a 10': () =>
      this.fru.length === 0
        ? refuse(CompletionCode.NotPresent)
        : [this.fru.length & 0xff, this.fru.length >> 8, this.fruUnit - 1],
    'a 11': ([, low = 0, high = 0, count = 0]) => {
      const offset = (low | (high << 8)) * this.fruUnit;
      const wanted = count * this.fruUnit;
      if (wanted > this.fruChunk) return refuse(CompletionCode.CannotReturnLength);
      if (offset >= this.fru.length) return refuse(CompletionCode.OutOfRange);
      const piece = this.fru.subarray(offset, offset + wanted);
      return [piece.length / this.fruUnit, ...piece];
    },
    'c 2': ([channel = 0, parameter = 0, set = 0]) => {
      const lan = this.lans[channel];
      if (lan === undefined) return refuse(CompletionCode.InvalidField);
      const values: Readonly<Record<number, readonly number[]>> = {
        3: lan.ip,
        4: [lan.source],
        5: lan.mac,
        ...(lan.ipv6.length > 0 && {
          51: [2],
          55: [lan.ipv6.length, 0, 0],
          56: [set, 0x80, ...(lan.ipv6[set] ?? []), 64, 0],
        }),
      };
      const value = values[parameter];
      return value === undefined ? refuse(0x80) : [0x11, ...value];
    },
  };

  #password(idByte: number, operation: number, bytes: readonly number[]): FakeAnswer {
    const user = this.user(idByte & 0x3f);
    if (operation === 0 || operation === 1) {
      user.enabled = operation === 1;
      return [];
    }
    const size = (idByte & 0x80) === 0 ? 16 : 20;
    if (!this.passwordSizes.includes(size)) return refuse(CompletionCode.LengthInvalid);
    if (bytes.length !== size) return refuse(CompletionCode.LengthInvalid);
    const password = Buffer.from(bytes).toString('latin1').replace(/\0+$/, '');
    if (operation === 2) {
      Object.assign(user, { password, size });
      return [];
    }
    if (user.size !== size) return refuse(CompletionCode.PasswordLengthDiffers);
    const compared = (text: string): string => text.slice(0, this.compares);
    return compared(user.password) === compared(password) ? [] : refuse(CompletionCode.PasswordDiffers);
  }
}
