import { CompletionCode, IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';
import { reasonOf } from '../errors.ts';
import type { Secret } from '../secret.ts';

const setUserAccess: IpmiCommand = { name: 'Set User Access', netFn: 0x06, command: 0x43 };
const setUserName: IpmiCommand = { name: 'Set User Name', netFn: 0x06, command: 0x45 };
const setUserPassword: IpmiCommand = { name: 'Set User Password', netFn: 0x06, command: 0x47 };
const setUserPayloadAccess: IpmiCommand = { name: 'Set User Payload Access', netFn: 0x06, command: 0x4c };

/** IPMI 2.0, 22.30. */
const Operation = { Disable: 0, Enable: 1, Set: 2, Test: 3 } as const;
const administrator = 4;
const nameField = 16;
/** What a password is stored as: 16 bytes as in IPMI 1.5, or 20. */
export type PasswordSize = 16 | 20;

export type PasswordTest = 'same' | 'differs' | 'unknown';

/** Whether the BMC says that this is the user's password, in this form. Nothing is changed. */
export async function testPassword(
  session: IpmiSession,
  id: number,
  password: Secret,
  size: PasswordSize,
): Promise<PasswordTest> {
  try {
    await sendPassword(session, id, Operation.Test, password, size);
    return 'same';
  } catch (error) {
    if (!(error instanceof IpmiError) || !error.isFinal) throw error;
    const { completionCode } = error;
    const isNo =
      completionCode === CompletionCode.PasswordDiffers || completionCode === CompletionCode.PasswordLengthDiffers;
    return isNo ? 'differs' : 'unknown';
  }
}

/** Sets the password in this size; false when the BMC does not take that size. */
export async function setPassword(
  session: IpmiSession,
  id: number,
  password: Secret,
  size: PasswordSize,
): Promise<boolean> {
  try {
    await sendPassword(session, id, Operation.Set, password, size);
    return true;
  } catch (error) {
    if (error instanceof IpmiError && error.isFinal && refusesSize.has(error.completionCode ?? 0)) return false;
    throw error;
  }
}

const refusesSize: ReadonlySet<number> = new Set([
  CompletionCode.LengthInvalid,
  CompletionCode.LengthExceeded,
  CompletionCode.OutOfRange,
  CompletionCode.InvalidField,
  CompletionCode.PasswordLengthDiffers,
]);

async function sendPassword(
  session: IpmiSession,
  id: number,
  operation: number,
  password: Secret,
  size: PasswordSize,
): Promise<void> {
  const bytes = new Uint8Array(2 + size);
  bytes.set([id | (size === 20 ? 0x80 : 0), operation]);
  bytes.set(Buffer.from(password.reveal()), 2);
  try {
    await session.ask(setUserPassword, bytes);
  } finally {
    bytes.fill(0);
  }
}

export async function setName(session: IpmiSession, id: number, name: string): Promise<void> {
  const bytes = new Uint8Array(1 + nameField);
  bytes[0] = id;
  bytes.set(Buffer.from(name, 'latin1').subarray(0, nameField), 1);
  await session.ask(setUserName, bytes);
}

/**
 * Lets the user in as administrator over this channel, with a serial console where the BMC has one. Gives what is missing
 * without being needed to log in.
 */
export async function openToUser(session: IpmiSession, id: number, channel: number): Promise<readonly string[]> {
  // 22.26: change the three bits of link authentication, IPMI messaging and callback; both of the first, not the third.
  await session.ask(setUserAccess, [0x80 | 0x30 | channel, id, administrator]);
  await session.ask(setUserPassword, [id, Operation.Enable]);
  try {
    // 24.6: enable (0) for this user, standard payload 1, which is SOL.
    await session.ask(setUserPayloadAccess, [channel, id, 0x02, 0, 0, 0]);
    return [];
  } catch (error) {
    session.signal.throwIfAborted();
    return [`no serial console over LAN: ${reasonOf(error)}`];
  }
}
