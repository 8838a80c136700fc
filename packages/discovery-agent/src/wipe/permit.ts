import { apiV2 } from '@ingot/api';
import { AgentError, AgentErrorCode } from '../errors.ts';

/**
 * The right to destroy what is on this machine's disks. Nobody can make one but the two functions below: the class is
 * not exported, and its private field keeps look-alikes out, so that forgetting to ask the API does not compile.
 */
class Permit {
  readonly #grantedAtMs: number;
  /** What the API calls its order; undefined for an operator's. */
  readonly order: string | undefined;
  /** Only these may be wiped; undefined: every disk of the machine. */
  readonly devices: readonly string[] | undefined;
  /** Why, in words for the log. */
  readonly reason: string;

  constructor(init: Pick<Permit, 'reason' | 'order' | 'devices'>, grantedAtMs: number) {
    this.reason = init.reason;
    this.order = init.order;
    this.devices = init.devices;
    this.#grantedAtMs = grantedAtMs;
  }

  /** Age in milliseconds on the clock that it was granted by. */
  ageMs(nowMs: number): number {
    return nowMs - this.#grantedAtMs;
  }
}
export type WipePermit = Permit;

/** Plans are made with it to be looked at. They cannot be executed. */
class Rehearsal {
  readonly #onlyForShow = true;
  readonly devices: readonly string[] | undefined;

  constructor(devices: readonly string[] | undefined) {
    this.devices = devices;
  }

  get onlyForShow(): boolean {
    return this.#onlyForShow;
  }
}
export type WipeRehearsal = Rehearsal;

/** An answer older than this says nothing about now; milliseconds. */
export const permitMaxAgeMs = 60_000;

export type WipeStanding =
  | { readonly kind: 'granted'; readonly permit: WipePermit }
  /** In words: what is waited for. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Label of a machine that is to erase its disks; its value is the order. */
const orderLabel = 'ingot.dev/wipe';

/**
 * Reads from the API's answer whether this machine is to be wiped: it is known there, nobody has it, no operator has
 * locked it, and there is an order.
 *
 * @param machine what the API server just answered; undefined where it knows no such machine
 * @param uuid of this machine: an answer about another one grants nothing
 * @param nowMs the clock's `monotonic()` when the answer came
 */
export function wipePermit(machine: apiV2.Machine | undefined, uuid: string, nowMs: number): WipeStanding {
  const refused = (reason: string): WipeStanding => ({ kind: 'refused', reason });
  if (machine === undefined) return refused('the API does not know this machine');
  if (uuid === '' || machine.uuid.toLowerCase() !== uuid.toLowerCase())
    return refused(`the API answered about machine ${machine.uuid || '(none)'}, not about ${uuid || '(none)'}`);
  if (machine.allocation !== undefined) return refused(`allocated to project ${machine.allocation.project}`);
  if (machine.status?.condition?.state === apiV2.MachineState.LOCKED)
    return refused(`locked by an operator: ${machine.status.condition.description || 'no reason given'}`);
  const order = machine.meta?.labels?.labels[orderLabel];
  if (order === undefined || order === '') return refused('nobody has ordered it (label ingot.dev/wipe)');
  return { kind: 'granted', permit: new Permit({ reason: `order ${order}`, order, devices: undefined }, nowMs) };
}

/**
 * The right of whoever types the same devices twice at a shell.
 *
 * @throws AgentError `WipeRefused` unless both lists name the same devices, each by its node in /dev
 */
export function operatorPermit(devices: readonly string[], confirmed: readonly string[], nowMs: number): WipePermit {
  const refuse = (words: string): never => {
    throw new AgentError(AgentErrorCode.WipeRefused, words);
  };
  if (devices.length === 0) refuse('name the devices that are to be wiped: ingot-discovery wipe /dev/…');
  for (const device of [...devices, ...confirmed])
    if (!isDeviceNode(device)) refuse(`"${device}" is no name of a whole disk such as /dev/nvme0n1`);
  const unconfirmed = devices.filter((device) => !confirmed.includes(device));
  if (unconfirmed.length > 0)
    refuse(`everything on it will be lost: add ${unconfirmed.map((device) => `--yes-destroy ${device}`).join(' ')}`);
  const unasked = confirmed.filter((device) => !devices.includes(device));
  if (unasked.length > 0) refuse(`--yes-destroy names ${unasked.join(', ')}, which is not among the devices to wipe`);
  return new Permit({ reason: 'named and confirmed at a shell', order: undefined, devices: [...devices] }, nowMs);
}

/** @param devices those to look at; undefined: every disk */
export function wipeRehearsal(devices?: readonly string[]): WipeRehearsal {
  return new Rehearsal(devices);
}

/** Letters, digits and the few signs that the kernel's names of disks have (`/dev/cciss/c0d0`): nothing else goes on. */
export function isDeviceNode(name: string): boolean {
  return /^\/dev\/[A-Za-z0-9][A-Za-z0-9_-]*(\/[A-Za-z0-9][A-Za-z0-9_-]*)*$/.test(name);
}
