import { isIP } from 'node:net';
import type { apiV2 } from '@ingot/api';
import { BmcError, BmcErrorCode } from './errors.ts';

/** How a BMC is reached. */
export interface BmcTarget {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
  readonly protocol: 'ipmi' | 'redfish';
  readonly user: string;
  readonly password: string;
  /** For people: `10.0.0.5:623`. */
  readonly name: string;
}

const HTTPS_PORT = 443;
const IPMI_PORT = 623;
// RFC 1123. Nothing that a program could take for an option.
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;
// oxlint-disable-next-line no-control-regex -- what a BMC's name and password cannot have
const CONTROL = /[\u0000-\u001F\u007F]/;

/** User and password for BMCs of which the API knows none; they speak Redfish. */
export interface CommonLogin {
  readonly user: string;
  readonly password: string;
}

/**
 * Reads what the API knows of a BMC. The interface `redfish` stands for Redfish; so does port 443. Throws BmcError
 * `BMC_ADDRESS`.
 */
export function targetOf(
  bmc: Pick<apiV2.MachineBMC, 'address' | 'user' | 'password' | 'interface'> | undefined,
  common?: CommonLogin,
): BmcTarget {
  if (bmc !== undefined && common !== undefined && bmc.user === '' && bmc.password === '')
    return targetOf({ address: bmc.address, ...common, interface: 'redfish' });
  if (bmc === undefined || bmc.address === '') throw unusable('the API knows no address of the BMC');
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(bmc.address);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const isHost = match?.[1] === undefined ? isIP(host) === 4 || HOST_NAME.test(host) : isIP(host) === 6;
  if (!isHost || !(port >= 1 && port <= 65_535))
    throw unusable(`${JSON.stringify(bmc.address.slice(0, 300))} is no address of a BMC, which is host:port`);
  if (bmc.user === '' || bmc.password === '')
    throw unusable(`the API has no user and password of the BMC at ${bmc.address}`);
  if (CONTROL.test(bmc.user) || CONTROL.test(bmc.password))
    throw unusable(`the user or the password of the BMC at ${bmc.address} has control characters`);
  const protocol = bmc.interface.toLowerCase() === 'redfish' || port === HTTPS_PORT ? 'redfish' : 'ipmi';
  // The API adds IPMI's port to an address that is reported without one.
  const dialled = protocol === 'redfish' && port === IPMI_PORT ? HTTPS_PORT : port;
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  return { host, port: dialled, protocol, user: bmc.user, password: bmc.password, name: `${shown}:${dialled}` };
}

function unusable(words: string): BmcError {
  return new BmcError(BmcErrorCode.Address, `${words}; the machine tells it when it boots, or report it`);
}
