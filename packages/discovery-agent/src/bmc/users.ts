import { IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';

const getUserAccess: IpmiCommand = { name: 'Get User Access', netFn: 0x06, command: 0x44 };
const getUserName: IpmiCommand = { name: 'Get User Name', netFn: 0x06, command: 0x46 };

/** Everybody's name by slot. A slot without one is free, or for logging in without a name. */
export interface Users {
  /** The LAN channel that access is asked for. */
  readonly channel: number;
  /** Kept up to date by whoever gives a slot its name. */
  readonly names: Map<number, string>;
  /** Slots up to this one have names that cannot be changed. */
  readonly fixedNames: number;
}

/** What the user of a slot may do on one channel. */
export interface UserAccess {
  readonly isEnabled: boolean;
  readonly mayUseIpmi: boolean;
  /** 1 callback … 4 administrator, 5 the vendor's own; 0 and 15 none. */
  readonly privilege: number;
}

/** User 1 has no name by definition (IPMI 2.0, 6.9). */
const firstNamedSlot = 2;
const nameField = 16;
const noAccess = 0x0f;

/** IPMI 2.0, 22.27 and 22.29: at most 63 slots. Names only: access is asked for where it matters, slots are many. */
export async function readUsers(session: IpmiSession, channel: number): Promise<Users> {
  const [count = 0, , fixed = 0] = await session.ask(getUserAccess, [channel, 1], 4);
  const names = new Map<number, string>();
  for (let id = firstNamedSlot; id <= (count & 0x3f); id++) names.set(id, await readName(session, id));
  return { channel, names, fixedNames: fixed & 0x3f };
}

/** Zero-padded; some BMCs pad with 0xff. What cannot be printed is shown as `?`, and so is no name of ours. */
export async function readName(session: IpmiSession, id: number): Promise<string> {
  const bytes = (await unlessRefused(session.ask(getUserName, [id]))) ?? new Uint8Array();
  const end = bytes.findIndex((byte) => byte === 0 || byte === 0xff);
  const used = bytes.subarray(0, end < 0 ? nameField : Math.min(end, nameField));
  return Buffer.from(used)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

/** Undefined when the BMC does not show it. */
export async function readAccess(session: IpmiSession, channel: number, id: number): Promise<UserAccess | undefined> {
  const access = await unlessRefused(session.ask(getUserAccess, [channel, id], 4));
  if (access === undefined) return undefined;
  const [, enabled = 0, , limits = 0] = access;
  const privilege = limits & 0x0f;
  return {
    // 1: enabled, 2: disabled, 0: older than IPMI 2.0 errata 3 and not told: then its privilege says it.
    isEnabled: enabled >> 6 === 1 || (enabled >> 6 === 0 && privilege !== 0 && privilege !== noAccess),
    mayUseIpmi: (limits & 0x10) !== 0,
    privilege,
  };
}

/** BMCs refuse to show what is not there. */
async function unlessRefused(response: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof IpmiError && error.isFinal) return undefined;
    throw error;
  }
}

export type SlotChoice =
  | { readonly kind: 'own'; readonly id: number; readonly others: readonly number[] }
  | { readonly kind: 'free'; readonly id: number }
  | { readonly kind: 'full'; readonly names: readonly string[] };

/**
 * The slot of the user `name`, else a free one: those of `preferred` first, then the lowest. Free is a slot without a name
 * that nobody can log in with, and whose name may be set. Nobody else's slot is ever chosen.
 */
export async function chooseSlot(
  session: IpmiSession,
  { channel, names, fixedNames }: Users,
  name: string,
  preferred: readonly number[],
): Promise<SlotChoice> {
  const slots = [...names];
  const [own, ...others] = slots.flatMap(([id, each]) => (each === name ? [id] : []));
  if (own !== undefined) return { kind: 'own', id: own, others };
  const nameless = slots.flatMap(([id, each]) => (each === '' && id > fixedNames ? [id] : []));
  const wanted = preferred.filter((id) => nameless.includes(id));
  for (const id of [...wanted, ...nameless]) {
    const access = await readAccess(session, channel, id);
    // Access that is not shown may be somebody's, and a nameless user who is let in is the anonymous login of someone.
    const isSomebodys =
      access === undefined ||
      (access.isEnabled && access.mayUseIpmi && access.privilege !== 0 && access.privilege !== noAccess);
    if (!isSomebodys) return { kind: 'free', id };
  }
  return { kind: 'full', names: slots.flatMap(([, each]) => (each === '' ? [] : [each])) };
}
