import type { Entropy, Network } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import { readSmbios } from '../inventory/smbios.ts';
import { Secret } from '../secret.ts';
import { bmcOf, readBmc, rmcpPort, within } from './bmc.ts';
import type { BmcAccount, BmcSearch, Reading } from './bmc.ts';
import { setBootOrder } from './boot-order.ts';
import type { BootOrder } from './boot-order.ts';
import { withBmc } from './device.ts';
import type { BmcDeviceParts } from './device.ts';
import { IpmiError, openIpmiSession } from './ipmi.ts';
import type { IpmiSession } from './ipmi.ts';
import { setUpByRedfish } from './redfish-account.ts';
import { redfishHostInterfaces } from './redfish-host-interface.ts';
import { logIn as logInAt } from './rmcp-login.ts';
import type { Login } from './rmcp-login.ts';
import { setUpSuperUser, setUpUser } from './set-up-user.ts';
import type { UserPlace } from './set-up-user.ts';
import { readUsers } from './users.ts';
import type { Users } from './users.ts';
import { vendorOf } from './vendors.ts';

export interface BmcParts extends BmcDeviceParts {
  readonly entropy: Entropy;
  /** For logging in over the LAN, where the BMC can be reached. */
  readonly network: Network;
  /** Asks the API (`BootService.SuperUserPassword`); empty: there is to be no superuser. */
  readonly superUserPassword: (signal: AbortSignal) => Promise<string>;
}

export interface BmcPolicy {
  /** The user that the API shall have; undefined: nobody's account is touched, the superuser's neither. */
  readonly userName: string | undefined;
  /** Undefined leaves the boot order to whoever set it. */
  readonly bootOrder: BootOrder | undefined;
  /** A BMC that is there, but cannot be read or set up, is fatal. */
  readonly required: boolean;
}

/** LLDP may take 40 s at the same time. */
const readLimitMs = 120_000;
const setUpLimitMs = 60_000;
const restartPauseMs = 5_000;
const superUserTimeoutMs = 10_000;
/** IPMI 1.5 knows no longer ones. */
const oldPasswordSizes = [16] as const;

/**
 * Reads the BMC and makes the user that is registered with it. Its password is new each time, and the old one is gone: call
 * it only when a registration follows.
 *
 * What fails is a problem of the result. Rejects with an `AgentError` (`BmcFailed`) only where the policy says that the BMC
 * is required, or with the reason of the signal.
 */
export async function configureBmc(parts: BmcParts, policy: BmcPolicy): Promise<BmcSearch> {
  const search = await searchBmc(parts, policy);
  if (policy.required && search.kind === 'unusable') throw new AgentError(AgentErrorCode.BmcFailed, search.reason);
  return search;
}

async function searchBmc(parts: BmcParts, policy: BmcPolicy): Promise<BmcSearch> {
  const { clock } = parts;
  return withBmc<BmcSearch>(parts, { patient: true, required: policy.required }, async (ipmi) => {
    const reading = await within(readLimitMs, parts, (limit) =>
      readWhenItAnswers(openIpmiSession({ ipmi, clock, signal: limit })),
    );
    const { account, problems } = await within(setUpLimitMs, parts, (limit) =>
      setUp(openIpmiSession({ ipmi, clock, signal: limit }), reading, parts, policy),
    );
    return { kind: 'found', bmc: bmcOf(reading, account), problems: [...reading.problems, ...problems] };
  });
}

/** A BMC that restarts takes a minute or two; registering without it would make the API forget the one that it knows. */
async function readWhenItAnswers(session: IpmiSession): Promise<Reading> {
  for (;;) {
    try {
      return await readBmc(session, { patient: true });
    } catch (error) {
      if (!(error instanceof IpmiError) || error.isFinal || session.signal.aborted) throw error;
      // At the deadline, what went wrong last is worth more than that it is over.
      await session.clock.sleep(restartPauseMs, session.signal).catch(() => Promise.reject(error));
    }
  }
}

/** What the BMC says about itself. Nothing is changed, and nothing waited for that may still come. */
export async function inspectBmc(parts: BmcDeviceParts): Promise<BmcSearch> {
  const { clock } = parts;
  return withBmc<BmcSearch>(parts, { patient: false, required: false }, async (ipmi) => {
    const reading = await within(readLimitMs, parts, (limit) =>
      readBmc(openIpmiSession({ ipmi, clock, signal: limit }), { patient: false }),
    );
    return { kind: 'found', bmc: bmcOf(reading, undefined), problems: reading.problems };
  });
}

/** Each step on its own: that one fails says nothing about the next. */
async function setUp(
  session: IpmiSession,
  { controller, lan }: Reading,
  { sysfs, network, entropy, signal, clock, superUserPassword }: BmcParts,
  { userName, bootOrder, required }: BmcPolicy,
): Promise<{ readonly account: BmcAccount | undefined; readonly problems: readonly string[] }> {
  const vendor = vendorOf(controller, sysfs.text('/sys/class/dmi/id/board_vendor') ?? '');
  const problems: string[] = [];
  const step = async (work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      problems.push(...(await work()));
    } catch (error) {
      signal.throwIfAborted();
      if (required) throw error;
      problems.push(reasonOf(error));
    }
  };
  let account: BmcAccount | undefined;
  if (userName !== undefined) {
    let users: Users | undefined;
    const sizes = controller.ipmiMajor >= 2 ? vendor.passwordSizes : oldPasswordSizes;
    const target = { address: lan.ipv4 ?? lan.ipv6[0] ?? '', port: rmcpPort };
    // One that cannot be reached will not be reached a second later.
    let outOfReach: Login | undefined;
    const logIn: UserPlace['logIn'] = async (candidate) => {
      if (controller.ipmiMajor < 2) return { kind: 'unknown', reason: 'it speaks IPMI 1.5' };
      const login =
        outOfReach ?? (await logInAt({ network, clock, entropy, signal: session.signal }, target, candidate));
      if (login.kind === 'unknown') outOfReach = login;
      return login;
    };
    const place = async (): Promise<Pick<UserPlace, 'users' | 'sizes' | 'logIn'>> => {
      users ??= await readUsers(session, lan.channel);
      return { users, sizes, logIn };
    };
    await step(async () => {
      try {
        const made = await setUpUser(session, { ...(await place()), name: userName, slots: vendor.userSlots }, entropy);
        account = made.account;
        return made.problems;
      } catch (error) {
        const redfish = redfishHostInterfaces(readSmbios(sysfs)).find((each) => each.canBootstrapCredentials);
        if (redfish === undefined || session.signal.aborted) throw error;
        account = await setUpByRedfish(session, redfish, { userName, mac: lan.mac, entropy });
        return [`${reasonOf(error)}; the user ${userName} was made by Redfish`];
      }
    });
    await step(async () => {
      // An API that is away is no fault of the BMC, not even where that is required.
      let wanted: string;
      try {
        wanted = await within(superUserTimeoutMs, { clock, signal: session.signal }, superUserPassword);
      } catch (error) {
        session.signal.throwIfAborted();
        return [`the superuser is left as it is, since the API does not say its password: ${reasonOf(error)}`];
      }
      if (wanted === '') return [];
      const superUser = { ...(await place()), name: vendor.superUserName, slots: vendor.superUserSlots };
      return setUpSuperUser(session, superUser, new Secret(wanted));
    });
  }
  if (bootOrder !== undefined)
    await step(async () => {
      await setBootOrder(session, bootOrder, vendor);
      return [];
    });
  return { account, problems };
}
