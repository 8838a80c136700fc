import { IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';

const getUserAccess: IpmiCommand = { name: 'Get User Access', netFn: 0x06, command: 0x44 };
const getUserName: IpmiCommand = { name: 'Get User Name', netFn: 0x06, command: 0x46 };

/** A place for a user, as seen from one channel. */
export interface UserSlot {
  readonly id: number;
  /** Empty when nobody has the slot, or when it is for logging in without a name. */
  readonly name: string;
  readonly isEnabled: boolean;
  /** May use IPMI on this channel. */
  readonly mayUseIpmi: boolean;
  /** 1 callback … 4 administrator, 15 none. */
  readonly privilege: number;
}

export interface Users {
  readonly slots: readonly UserSlot[];
  /** Slots up to this one have names that cannot be changed. */
  readonly fixedNames: number;
}

/** User 1 has no name by definition (IPMI 2.0, 6.9). */
const firstNamedSlot = 2;
const nameField = 16;
const noAccess = 0x0f;

/** IPMI 2.0, 22.27 and 22.29: at most 63 slots. */
export async function readUsers(session: IpmiSession, channel: number): Promise<Users> {
  const first = await session.ask(getUserAccess, [channel, 1], 4);
  const count = (first[0] ?? 0) & 0x3f;
  const slots: UserSlot[] = [];
  for (let id = 1; id <= count; id++) {
    const access = id === 1 ? first : await slotDetail(session.ask(getUserAccess, [channel, id], 4));
    const name = await slotDetail(session.ask(getUserName, [id]));
    // A slot whose access cannot be read is somebody's, for all we know; one without a name is free.
    if (access === undefined) continue;
    const privilege = (access[3] ?? 0) & 0x0f;
    slots.push({
      id,
      name: name === undefined ? '' : nameOf(name),
      // 1: enabled, 2: disabled, 0: older than IPMI 2.0 errata 3 and not told: then its privilege says it.
      isEnabled: (access[1] ?? 0) >> 6 === 1 || ((access[1] ?? 0) >> 6 === 0 && ![0, noAccess].includes(privilege)),
      mayUseIpmi: ((access[3] ?? 0) & 0x10) !== 0,
      privilege,
    });
  }
  return { slots, fixedNames: (first[2] ?? 0) & 0x3f };
}

/** BMCs refuse to show what is not there. */
async function slotDetail(response: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof IpmiError && error.isFinal) return undefined;
    throw error;
  }
}

/** Zero-padded; some BMCs pad with 0xff. What cannot be printed is shown as `?`, and so is no name of ours. */
function nameOf(bytes: Uint8Array): string {
  const end = bytes.findIndex((byte) => byte === 0 || byte === 0xff);
  const used = bytes.subarray(0, end < 0 ? nameField : Math.min(end, nameField));
  return Buffer.from(used)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

export type SlotChoice =
  | { readonly kind: 'own'; readonly id: number; readonly others: readonly number[] }
  | { readonly kind: 'free'; readonly id: number }
  | { readonly kind: 'full'; readonly names: readonly string[] };

/**
 * The slot of the user `name`, else a free one: those of `preferred` first, then the lowest. Free is a slot without a name
 * that nobody can log in with, and whose name may be set. Nobody else's slot is ever chosen.
 */
export function chooseSlot({ slots, fixedNames }: Users, name: string, preferred: readonly number[]): SlotChoice {
  const [own, ...others] = slots.filter((slot) => slot.name === name);
  if (own !== undefined) return { kind: 'own', id: own.id, others: others.map(({ id }) => id) };
  const free = slots.filter(
    (slot) =>
      slot.id >= firstNamedSlot &&
      slot.id > fixedNames &&
      slot.name === '' &&
      // An enabled user without a name is the anonymous login of someone who wanted it.
      !(slot.isEnabled && slot.mayUseIpmi && slot.privilege !== noAccess && slot.privilege !== 0),
  );
  const chosen = free.find(({ id }) => preferred.includes(id)) ?? free[0];
  if (chosen !== undefined) return { kind: 'free', id: chosen.id };
  return { kind: 'full', names: slots.flatMap((slot) => (slot.name === '' ? [] : [slot.name])) };
}
