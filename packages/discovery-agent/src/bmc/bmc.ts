import type { Clock } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { readController, readPowerState } from './controller.ts';
import type { Controller } from './controller.ts';
import { readFru } from './fru.ts';
import type { Fru } from './fru.ts';
import type { IpmiSession } from './ipmi.ts';
import { closedDoors, readLanChannels, reachableLan } from './lan.ts';
import type { LanChannel } from './lan.ts';

/** What is registered of a BMC: `MachineBMC` and `MachineFRU`. */
export interface Bmc {
  /** `10.0.0.101:623` or `[2001:db8::1]:623`, the RMCP port. */
  readonly address: string;
  readonly mac: string;
  /** ipmitool's name of the protocol that it speaks over the LAN. */
  readonly interface: 'lan' | 'lanplus';
  /** Firmware revision. */
  readonly version: string;
  /** `ON`, or empty when the BMC does not say. */
  readonly powerState: string;
  readonly fru: Fru;
  /** Who may log in; undefined when no user was made. */
  readonly account: BmcAccount | undefined;
}

export interface BmcAccount {
  readonly user: string;
  readonly password: Secret;
}

export type BmcSearch =
  /** No IPMI device: edge machines and small virtual ones have none. Normal. */
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly bmc: Bmc; readonly problems: readonly string[] }
  /** There is one, but it tells too little to be reached over the network. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** What the BMC says about itself, and what it did not say. */
export interface Reading {
  readonly controller: Controller;
  readonly lan: LanChannel & { readonly mac: string };
  readonly powerState: string;
  readonly fru: Fru;
  readonly problems: readonly string[];
}

export const rmcpPort = 623;
/** A BMC that starts together with its machine may still be asking for an address. */
const dhcpPatienceMs = 30_000;
const dhcpPauseMs = 3_000;

/**
 * Reads the BMC, and waits for an address that it may still get by DHCP where `patient`. Rejects when it cannot be
 * registered: a reason in words. What else is missing is a problem.
 */
export async function readBmc(session: IpmiSession, { patient }: { readonly patient: boolean }): Promise<Reading> {
  const controller = await readController(session);
  const lan = await findLan(session, patient ? dhcpPatienceMs : 0);
  const problems: string[] = [];
  const soft = async <T>(read: (session: IpmiSession) => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read(session);
    } catch (error) {
      problems.push(reasonOf(error));
      return otherwise;
    }
  };
  const powerState = await soft(readPowerState, '');
  const fru = await soft<Fru>(readFru, {});
  const doors = await soft((asked) => closedDoors(asked, lan.channel), []);
  return { controller, lan, powerState, fru, problems: [...problems, ...doors] };
}

async function findLan(session: IpmiSession, patienceMs: number): Promise<Reading['lan']> {
  const { clock, signal } = session;
  const start = clock.monotonic();
  for (;;) {
    const channels = await readLanChannels(session);
    const lan = reachableLan(channels);
    if (lan !== undefined) return lan;
    const mayCome = channels.some(({ usesDhcp }) => usesDhcp) && clock.monotonic() - start < patienceMs;
    if (!mayCome) {
      const waited = channels.some(({ usesDhcp }) => usesDhcp) ? '; it asks for one by DHCP and gets none' : '';
      throw new AgentError(
        AgentErrorCode.BmcFailed,
        `the BMC has no address on its LAN channel ${channels.map(({ channel }) => channel).join(', ')}${waited}`,
      );
    }
    await clock.sleep(dhcpPauseMs, signal);
  }
}

export function bmcOf({ controller, lan, powerState, fru }: Reading, account: BmcAccount | undefined): Bmc {
  const host = lan.ipv4 ?? `[${lan.ipv6[0] ?? ''}]`;
  return {
    address: `${host}:${rmcpPort}`,
    mac: lan.mac,
    interface: controller.ipmiMajor >= 2 ? 'lanplus' : 'lan',
    version: controller.version,
    powerState,
    fru,
    account,
  };
}

/** Runs `work` with a signal that ends it after `limitMs`; what is under way then is named by its own error. */
export async function within<T>(
  limitMs: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const tooLate = new AbortController();
  const timer = clock.setTimeout(
    () => tooLate.abort(new Error(`not done when the ${limitMs / 1000} s for the BMC were over`)),
    limitMs,
  );
  try {
    return await work(AbortSignal.any([signal, tooLate.signal]));
  } finally {
    timer.cancel();
  }
}
