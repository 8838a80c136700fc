import type { Entropy } from '@ingot/net';
import { AgentError, AgentErrorCode } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { BmcAccount } from './bmc.ts';
import { IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';
import { generatePassword } from './password.ts';
import type { RedfishHostInterface } from './redfish-host-interface.ts';
import { openRedfish } from './redfish-http.ts';
import { readManager, setUpAccount } from './redfish.ts';

/** Group extension of Redfish (DSP0270, 9); not seen on a machine yet. */
const getFingerprint: IpmiCommand = { name: 'Get Manager Certificate Fingerprint', netFn: 0x2c, command: 0x01 };
const getBootstrapAccount: IpmiCommand = { name: 'Get Bootstrap Account Credentials', netFn: 0x2c, command: 0x02 };
const redfishGroup = 0x52;
const firstCertificate = 1;
const sha256 = 1;
const keepEnabled = 0xa5;
const passwordCharacters = 16;

/**
 * Makes the user by Redfish over the host interface, where IPMI would not: with the account that the BMC gives its own
 * machine for the asking, and the fingerprint of its certificate where it tells that. The interface must have its address
 * already. Rejects when nobody can log in as that user afterwards.
 *
 * @param mac of the LAN that is registered: the service must be the manager of that one
 */
export async function setUpByRedfish(
  session: IpmiSession,
  where: RedfishHostInterface,
  { userName, mac, entropy }: { readonly userName: string; readonly mac: string; readonly entropy: Entropy },
): Promise<BmcAccount> {
  if (!where.canBootstrapCredentials || where.serviceAddress === undefined)
    throw failed('the host interface of Redfish gives no account to this machine');
  const http = openRedfish(
    { host: where.serviceAddress, port: where.servicePort, fingerprint: await fingerprint(session) },
    session,
  );
  const bootstrap = await bootstrapAccount(session);
  const manager = await readManager(http, bootstrap);
  if (!manager.interfaces.some((each) => each.mac === mac))
    throw failed(`Redfish at ${where.serviceAddress} manages another LAN than that of ${mac}`);
  const account = { user: userName, password: generatePassword(entropy, passwordCharacters) };
  await setUpAccount(http, account, bootstrap);
  return account;
}

async function fingerprint(session: IpmiSession): Promise<string | undefined> {
  try {
    const answer = await session.ask(getFingerprint, [redfishGroup, firstCertificate], 34);
    return answer[1] === sha256 ? Buffer.from(answer.subarray(2, 34)).toString('hex') : undefined;
  } catch (error) {
    if (error instanceof IpmiError && error.isFinal) return undefined;
    throw error;
  }
}

async function bootstrapAccount(session: IpmiSession): Promise<BmcAccount> {
  const answer = await session.ask(getBootstrapAccount, [redfishGroup, keepEnabled], 33);
  const text = (from: number): string =>
    Buffer.from(answer.subarray(from, from + 16))
      .toString('latin1')
      .replace(/\0.*$/s, '');
  return { user: text(1), password: new Secret(text(17)) };
}

function failed(what: string): AgentError {
  return new AgentError(AgentErrorCode.BmcFailed, what);
}
