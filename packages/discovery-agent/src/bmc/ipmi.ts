import type { Clock } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';

/** A command of the IPMI 2.0 specification, by its name there. */
export interface IpmiCommand {
  readonly name: string;
  readonly netFn: number;
  readonly command: number;
}

/** A way to the BMC. One request at a time. */
export interface Ipmi {
  /** For messages: `/dev/ipmi0`. */
  readonly name: string;
  /**
   * Gives the response from its completion code on. Rejects when none comes before `signal` is aborted, or the way itself
   * is broken.
   */
  send(command: IpmiCommand, data: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  close(): void;
}

/** IPMI 2.0, table 5-2. Those that the agent tells apart. */
export const CompletionCode = {
  Ok: 0x00,
  /** Set User Password, operation "test": it is another one. */
  PasswordDiffers: 0x80,
  /** … it is stored with the other of the two lengths. */
  PasswordLengthDiffers: 0x81,
  NodeBusy: 0xc0,
  InvalidCommand: 0xc1,
  Timeout: 0xc3,
  OutOfSpace: 0xc4,
  LengthInvalid: 0xc7,
  LengthExceeded: 0xc8,
  OutOfRange: 0xc9,
  CannotReturnLength: 0xca,
  NotPresent: 0xcb,
  InvalidField: 0xcc,
  DuplicateRequest: 0xcf,
  InFirmwareUpdate: 0xd1,
  Initialising: 0xd2,
  InsufficientPrivilege: 0xd4,
  NotInThisState: 0xd5,
  Disabled: 0xd6,
  Unspecified: 0xff,
} as const;

/** What goes by when the BMC is asked again a little later. */
const passing: ReadonlySet<number> = new Set([
  CompletionCode.NodeBusy,
  CompletionCode.Timeout,
  CompletionCode.OutOfSpace,
  CompletionCode.DuplicateRequest,
  CompletionCode.InFirmwareUpdate,
  CompletionCode.Initialising,
  CompletionCode.Unspecified,
]);

/** The BMC gave no answer, or one that says no. Never holds what was sent: that may be a password. */
export class IpmiError extends AgentError {
  /** Undefined when there was no answer, or none that makes sense. */
  readonly completionCode: number | undefined;

  constructor(command: IpmiCommand, what: string, completionCode?: number, options?: ErrorOptions) {
    super(AgentErrorCode.BmcFailed, `BMC, ${command.name}: ${what}`, options);
    this.completionCode = completionCode;
  }

  /** The BMC does not have this, as opposed to being unable to say so now. */
  get isFinal(): boolean {
    return this.completionCode !== undefined && !passing.has(this.completionCode);
  }
}

export interface IpmiSessionOptions {
  readonly ipmi: Ipmi;
  readonly clock: Clock;
  /** Ends everything, as the deadline of a whole phase. */
  readonly signal: AbortSignal;
}

/** Asks with patience: a BMC is a small computer with many other things to do. */
export interface IpmiSession {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * The response behind its completion code, at least `atLeast` bytes. What passes is asked again, three times at most.
   * Rejects with an `IpmiError`.
   */
  ask(command: IpmiCommand, data?: readonly number[] | Uint8Array, atLeast?: number): Promise<Uint8Array>;
}

/** The kernel's driver itself gives up on a BMC after 5 s and answers with code c3 then. */
const answerTimeoutMs = 8_000;
const answerTries = 4;
const firstPauseMs = 250;

export function openIpmiSession({ ipmi, clock, signal }: IpmiSessionOptions): IpmiSession {
  const attempt = async (command: IpmiCommand, data: Uint8Array): Promise<Uint8Array> => {
    const tooLong = new AbortController();
    const timer = clock.setTimeout(
      () => tooLong.abort(new Error(`no answer through ${ipmi.name} within ${answerTimeoutMs} ms`)),
      answerTimeoutMs,
    );
    try {
      return await ipmi.send(command, data, AbortSignal.any([signal, tooLong.signal]));
    } catch (error) {
      throw new IpmiError(command, reasonOf(error), undefined, { cause: error });
    } finally {
      timer.cancel();
    }
  };
  return {
    clock,
    signal,
    async ask(command, data = [], atLeast = 0) {
      const bytes = Uint8Array.from(data);
      let pauseMs = firstPauseMs;
      for (let tried = 1; ; tried++) {
        try {
          return understood(command, await attempt(command, bytes), atLeast);
        } catch (error) {
          const hopeless = error instanceof IpmiError && error.isFinal;
          if (hopeless || signal.aborted || tried === answerTries) throw error;
          await clock.sleep(pauseMs, signal).catch(() => Promise.reject(error));
        }
        pauseMs *= 3;
      }
    },
  };
}

function understood(command: IpmiCommand, response: Uint8Array, atLeast: number): Uint8Array {
  const [code] = response;
  if (code === undefined) throw new IpmiError(command, 'an empty response');
  if (code !== CompletionCode.Ok) throw new IpmiError(command, `completion code 0x${hex(code)}${meaning(code)}`, code);
  if (response.length - 1 < atLeast)
    throw new IpmiError(command, `a response of ${response.length - 1} bytes, where ${atLeast} belong`);
  return response.subarray(1);
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

function meaning(code: number): string {
  const name = Object.entries(CompletionCode).find(([, value]) => value === code)?.[0];
  return name === undefined ? '' : ` (${name.replaceAll(/(?<!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)})`;
}
