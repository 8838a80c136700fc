import { retrySchedule } from '@ingot/net';
import type { BmcSearch } from '../bmc/bmc.ts';
import { reasonOf } from '../errors.ts';
import { isRefusal } from './api.ts';
import { listenAgain, setUpBmc, showBmc } from './discover.ts';
import type { Discovered } from './discover.ts';
import type { Life } from './parts.ts';
import { registerRequest } from './register-request.ts';

/** A BMC that restarts for its firmware is away for ten minutes; one that is stuck need not be asked more than twice an hour. */
const setUpAgainMs = { initialMs: 120_000, maxMs: 1_800_000 };
const registerAgainMs = { initialMs: 5_000, maxMs: 60_000 };

/** What the API does not have of the BMC, in words; undefined: nothing is missing. */
export function missingOfBmc({ session }: Life, bmc: BmcSearch): string | undefined {
  const { bmcUser } = session.config.policy;
  if (bmc.kind === 'unusable') return bmc.reason;
  if (bmc.kind === 'none' || bmc.bmc.account !== undefined || bmcUser === undefined) return undefined;
  return bmc.problems.join('; ') || `no user ${bmcUser}`;
}

/**
 * Makes the user of a BMC that is registered without one, while the machine waits, and registers it. Changes nothing about
 * the waiting: no event, no new round. Resolves when that is done or nothing was missing; rejects with the signal's reason.
 */
export async function setUpBmcLater(life: Life, registered: Discovered): Promise<void> {
  const { clock, entropy, signal, reporter } = life;
  const { bmc: before } = registered;
  if (before.kind !== 'found') return;
  let missing = missingOfBmc(life, before);
  for (const delayMs of retrySchedule({ ...setUpAgainMs, entropy })) {
    if (missing === undefined) return;
    reporter.say('bmc', `again in ${Math.ceil(delayMs / 60_000)} min`);
    await clock.sleep(delayMs, signal);
    const bmc = await setUpBmc(life, registered.inventory.firmware.bootMode, { required: false });
    signal.throwIfAborted();
    showBmc(life, bmc);
    missing = missingOfBmc(life, bmc);
    // One that does not answer any more is registered all the same, with what it said before.
    if (missing === undefined && bmc.kind === 'found' && !(await registerBmc(life, { ...registered, bmc })))
      missing = 'it is not registered';
  }
}

/** False when the API says no. As long as it says nothing, the password is known to nobody: asked until the signal. */
async function registerBmc(life: Life, findings: Discovered): Promise<boolean> {
  const { clock, entropy, signal, session, reporter } = life;
  // Those of a switch that was replaced meanwhile would be refused; those of a leaf that is down are missing.
  const heard = await listenAgain(life);
  const request = registerRequest(heard.diagnosis === '' ? { ...findings, neighbors: heard.neighbors } : findings);
  for (const delayMs of retrySchedule({ ...registerAgainMs, entropy })) {
    try {
      await session.call((api) => api.register(request, signal));
      reporter.say('bmc', 'registered with its user now');
      return true;
    } catch (error) {
      signal.throwIfAborted();
      reporter.say('bmc', `set up, but not registered: ${reasonOf(error)}`);
      if (isRefusal(error)) return false;
      await clock.sleep(delayMs, signal);
    }
  }
  return false;
}
