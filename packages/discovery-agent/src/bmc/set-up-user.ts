import type { Entropy } from '@ingot/net';
import { AgentError, AgentErrorCode } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { fitting, openToUser, setName, setPassword, testPassword } from './account.ts';
import type { PasswordSize } from './account.ts';
import type { BmcAccount } from './bmc.ts';
import type { IpmiSession } from './ipmi.ts';
import { generatePassword } from './password.ts';
import { chooseSlot, readUsers } from './users.ts';
import type { UserSlot } from './users.ts';
import type { BmcVendor } from './vendors.ts';

export interface UserPlace {
  /** The LAN channel that the user comes by. */
  readonly channel: number;
  readonly name: string;
  readonly slots: readonly number[];
  readonly sizes: readonly PasswordSize[];
}

const administrator = 4;

/**
 * Makes the user `name`, or gives the one there is a new password. Rejects when nobody could log in as that user
 * afterwards; other users are never touched.
 */
export async function setUpUser(
  session: IpmiSession,
  place: UserPlace,
  entropy: Entropy,
): Promise<{ readonly account: BmcAccount; readonly problems: readonly string[] }> {
  const slot = await takeSlot(session, place);
  const candidates = place.sizes.map((size) => ({ size, password: generatePassword(entropy, size) }));
  const password = await storePassword(session, slot.id, candidates);
  const problems = [...slot.problems, ...(await openToUser(session, slot.id, place.channel))];
  return {
    account: { user: place.name, password },
    problems: [...problems, ...(await verify(session, slot.id, place, password))],
  };
}

/**
 * Gives the superuser the operator's password, unless it is that already. Upstream asked whether a change is needed, and
 * set it only if asking had failed: here it is set unless the answer was no.
 */
export async function setUpSuperUser(
  session: IpmiSession,
  place: UserPlace,
  password: Secret,
): Promise<readonly string[]> {
  const sizes = fitting(place.sizes, password);
  if (sizes.length === 0)
    throw failed(`the superuser's password is longer than the ${Math.max(...place.sizes)} bytes that the BMC can hold`);
  const slot = await takeSlot(session, place);
  const problems = [...slot.problems];
  if ((await testPassword(session, slot.id, password)) !== 'same') {
    // The shorter form first: it serves clients of IPMI 1.5, too.
    const candidates = sizes.toSorted((a, b) => a - b).map((size) => ({ size, password }));
    await storePassword(session, slot.id, candidates);
  }
  problems.push(...(await openToUser(session, slot.id, place.channel)));
  return [...problems, ...(await verify(session, slot.id, place, password))];
}

async function takeSlot(
  session: IpmiSession,
  { channel, name, slots }: UserPlace,
): Promise<{ readonly id: number; readonly problems: readonly string[] }> {
  const choice = chooseSlot(await readUsers(session, channel), name, slots);
  switch (choice.kind) {
    case 'full':
      throw failed(`no free slot for the user ${name}; remove one of ${choice.names.join(', ')}`);
    case 'free':
      await setName(session, choice.id, name);
      return { id: choice.id, problems: [] };
    case 'own': {
      const { id, others } = choice;
      const also = `the BMC has the user ${name} more than once, in slots ${[id, ...others].join(', ')}; ${id} is used`;
      return { id, problems: others.length === 0 ? [] : [also] };
    }
  }
}

async function storePassword(
  session: IpmiSession,
  id: number,
  candidates: readonly { readonly size: PasswordSize; readonly password: Secret }[],
): Promise<Secret> {
  for (const { size, password } of candidates) if (await setPassword(session, id, password, size)) return password;
  throw failed(`the BMC takes no password of ${candidates.map(({ size }) => size).join(' or ')} bytes for slot ${id}`);
}

/** Asks the BMC whether it has what was set. Rejects when nobody can log in with it. */
async function verify(
  session: IpmiSession,
  id: number,
  { channel, name }: UserPlace,
  password: Secret,
): Promise<readonly string[]> {
  const same = await testPassword(session, id, password);
  if (same === 'differs') throw failed(`the BMC took a password for ${name} and has another one now`);
  const slot = (await readUsers(session, channel)).slots.find((each) => each.id === id);
  const missing = slot === undefined ? 'cannot be read' : lack(slot, name);
  if (missing !== '') throw failed(`the user ${name} in slot ${id} ${missing} after it was set up`);
  return same === 'unknown' ? [`the BMC cannot test passwords, so that of ${name} is not verified`] : [];
}

function lack(slot: UserSlot, name: string): string {
  if (slot.name !== name) return `is called "${slot.name}"`;
  if (!slot.isEnabled) return 'is not enabled';
  if (!slot.mayUseIpmi) return 'may not use IPMI over the LAN';
  return slot.privilege < administrator || slot.privilege > administrator + 1 ? 'is no administrator' : '';
}

function failed(what: string): AgentError {
  return new AgentError(AgentErrorCode.BmcFailed, what);
}

export function placeOf(vendor: BmcVendor, channel: number, ipmiMajor: number): Omit<UserPlace, 'name' | 'slots'> {
  return { channel, sizes: ipmiMajor >= 2 ? vendor.passwordSizes : [16] };
}
