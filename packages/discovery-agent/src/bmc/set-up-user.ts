import type { Entropy } from '@ingot/net';
import { AgentError, AgentErrorCode } from '../errors.ts';
import { Secret } from '../secret.ts';
import { openToUser, setName, setPassword, testPassword } from './account.ts';
import type { PasswordSize } from './account.ts';
import type { BmcAccount } from './bmc.ts';
import type { IpmiSession } from './ipmi.ts';
import { generatePassword } from './password.ts';
import type { Login } from './rmcp-login.ts';
import { chooseSlot, readAccess, readName } from './users.ts';
import type { Users } from './users.ts';

export interface UserPlace {
  /** All of them, as seen from the LAN channel that the user comes by. */
  readonly users: Users;
  readonly name: string;
  /** Taken first when the user is not there yet. */
  readonly slots: readonly number[];
  /** Forms in which the BMC takes passwords. */
  readonly sizes: readonly PasswordSize[];
  /** Logs in over the LAN. */
  readonly logIn: (account: BmcAccount) => Promise<Login>;
}

/** A password and the form to store it in. */
interface Candidate {
  readonly password: Secret;
  readonly size: PasswordSize;
}

/**
 * - `proven`: a login was accepted, or the BMC tells this password from a similar one.
 * - `doubtful`: nothing speaks against it, and nothing for it.
 * - `refuted`: nobody can log in with it.
 */
interface Verdict {
  readonly kind: 'proven' | 'doubtful' | 'refuted';
  readonly reason: string;
}

const administrator = 4;
const oemPrivilege = 5;
const shortPassword = 16;

/**
 * Makes the user `name`, or gives the one there is a new password. Rejects when nobody could log in as that user
 * afterwards; other users are never touched.
 */
export async function setUpUser(
  session: IpmiSession,
  place: UserPlace,
  entropy: Entropy,
): Promise<{ readonly account: BmcAccount; readonly problems: readonly string[] }> {
  const short = generatePassword(entropy, shortPassword);
  // 16 characters fit into both forms. 20 are for those who keep them: some take 20 bytes and compare 16.
  const candidates = [...place.sizes.filter((size) => size === 20), ...place.sizes.toSorted((a, b) => a - b)].map(
    (size, index) => ({ size, password: index === 0 && size === 20 ? generatePassword(entropy, size) : short }),
  );
  const { password, problems } = await giveAccess(session, place, await takeSlot(session, place), candidates);
  return { account: { user: place.name, password }, problems };
}

/**
 * Gives the superuser the operator's password, unless it is that already. Upstream asked whether a change is needed, and
 * set it only if asking had failed: here it is set unless the answer is a proof that it need not be.
 */
export async function setUpSuperUser(
  session: IpmiSession,
  place: UserPlace,
  password: Secret,
): Promise<readonly string[]> {
  const length = Buffer.byteLength(password.reveal());
  // The shorter form first: it serves clients of IPMI 1.5, too.
  const candidates = place.sizes
    .filter((size) => length <= size)
    .toSorted((a, b) => a - b)
    .map((size) => ({ size, password }));
  if (candidates.length === 0)
    throw failed(`the superuser's password is longer than the ${Math.max(...place.sizes)} bytes that the BMC can hold`);
  const slot = await takeSlot(session, place);
  for (const candidate of candidates) {
    if (slot.isNew || (await compare(session, slot.id, candidate)) !== 'proven') continue;
    const problems = await openToUser(session, slot.id, place.users.channel);
    const missing = await lack(session, slot.id, place);
    if (missing !== '') throw failed(missing);
    return [...slot.problems, ...problems];
  }
  return (await giveAccess(session, place, slot, candidates)).problems;
}

interface Slot {
  readonly id: number;
  readonly isNew: boolean;
  readonly problems: readonly string[];
}

async function takeSlot(session: IpmiSession, { users, name, slots }: UserPlace): Promise<Slot> {
  const choice = await chooseSlot(session, users, name, slots);
  switch (choice.kind) {
    case 'full':
      throw failed(`no free slot for the user ${name}; remove one of ${choice.names.join(', ')}`);
    case 'free':
      await setName(session, choice.id, name);
      users.names.set(choice.id, name);
      return { id: choice.id, isNew: true, problems: [] };
    case 'own': {
      const { id, others } = choice;
      const also = `the BMC has the user ${name} more than once, in slots ${[id, ...others].join(', ')}; ${id} is used`;
      return { id, isNew: false, problems: others.length === 0 ? [] : [also] };
    }
  }
}

/** Stores the first password that holds, and lets the user in. */
async function giveAccess(
  session: IpmiSession,
  place: UserPlace,
  slot: Slot,
  candidates: readonly Candidate[],
): Promise<{ readonly password: Secret; readonly problems: readonly string[] }> {
  let refusal = 'the BMC refuses passwords of 16 and of 20 bytes';
  for (const [index, candidate] of candidates.entries()) {
    if (!(await setPassword(session, slot.id, candidate.password, candidate.size))) continue;
    const problems = [...slot.problems, ...(await openToUser(session, slot.id, place.users.channel))];
    const missing = await lack(session, slot.id, place);
    if (missing !== '') throw failed(missing);
    const { kind, reason } = await verify(session, slot.id, place, candidate);
    if (kind === 'proven') return { password: candidate.password, problems };
    refusal = reason;
    const isLast = index === candidates.length - 1;
    const isBest = candidate.password.reveal().length <= shortPassword || isLast;
    if (kind === 'doubtful' && isBest) return { password: candidate.password, problems: [...problems, reason] };
  }
  throw failed(`nobody can log in as ${place.name}: ${refusal}`);
}

async function verify(
  session: IpmiSession,
  id: number,
  { name, logIn }: UserPlace,
  candidate: Candidate,
): Promise<Verdict> {
  const login = await logIn({ user: name, password: candidate.password });
  if (login.kind === 'accepted') return { kind: 'proven', reason: '' };
  if (login.kind === 'refused') return { kind: 'refuted', reason: `at a login over the LAN, ${login.reason}` };
  const verdict = await compare(session, id, candidate);
  if (verdict === 'refuted') return { kind: verdict, reason: 'the BMC took a password and has another one now' };
  const reason = `the password of ${name} is not verified: ${login.reason}, and the BMC cannot test passwords`;
  return { kind: verdict, reason };
}

/** By the BMC's own test, which is believed only if it says no to another password. */
async function compare(session: IpmiSession, id: number, { password, size }: Candidate): Promise<Verdict['kind']> {
  const answer = await testPassword(session, id, password, size);
  if (answer !== 'same') return answer === 'differs' ? 'refuted' : 'doubtful';
  const control = await testPassword(session, id, similar(password), size);
  return control === 'differs' ? 'proven' : 'doubtful';
}

/** Differs in the last character only, which a BMC that stores less than it takes does not notice. */
function similar(password: Secret): Secret {
  const text = password.reveal();
  return new Secret(`${text.slice(0, -1)}${text.endsWith('x') ? 'y' : 'x'}`);
}

/** What keeps the user out, in words; empty when nothing does. */
async function lack(session: IpmiSession, id: number, { users, name }: UserPlace): Promise<string> {
  const access = await readAccess(session, users.channel, id);
  const stored = await readName(session, id);
  const who = `the user ${name} in slot ${id}`;
  if (stored !== name) return `${who} is called "${stored}" after it was set up`;
  if (access === undefined) return `${who} cannot be read after it was set up`;
  if (!access.isEnabled) return `${who} is not enabled after it was set up`;
  if (!access.mayUseIpmi) return `${who} may not use IPMI over the LAN after it was set up`;
  const isAdministrator = access.privilege >= administrator && access.privilege <= oemPrivilege;
  return isAdministrator ? '' : `${who} is no administrator after it was set up`;
}

function failed(what: string): AgentError {
  return new AgentError(AgentErrorCode.BmcFailed, what);
}
