import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';

// RFC 1123 section 2.1, as protovalidate's `hostname` checks it: no underscore, and the last label not only digits.
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Whether the API takes this as the id of a switch: a host name of 2 to 128 characters. */
export function isSwitchHostname(text: string): boolean {
  if (text.length < 2 || text.length > 128) return false;
  const labels = text.split('.');
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** The name of the switch: the configured one, else the kernel's. Throws SwitchAgentError `SWITCH_HOSTNAME`. */
export function switchHostname(configured: string | undefined): string {
  const name = configured ?? hostname();
  if (isSwitchHostname(name)) return name;
  throw new SwitchAgentError(
    SwitchAgentErrorCode.Hostname,
    `"${name}" cannot name a switch: the API takes letters, digits, "-" and ".", 2 to 128 characters; ` +
      'set DEVICE_METADATA|localhost hostname in CONFIG_DB, or hostname in the configuration',
  );
}

/**
 * The address for managing the switch: the configured one, else the first global address of `device`.
 * Throws SwitchAgentError `SWITCH_MANAGEMENT_IP`.
 */
export function managementAddress(configured: string | undefined, device: string): string {
  if (configured !== undefined) return configured;
  const addresses = networkInterfaces()[device] ?? [];
  const found = addresses.find(({ address, internal }) => !internal && isIP(address) !== 0 && !isLinkLocal(address));
  if (found !== undefined) return found.address;
  throw new SwitchAgentError(
    SwitchAgentErrorCode.ManagementIp,
    `${device} has no global IP address; give it one, or set managementIp (or managementInterface) in the configuration`,
  );
}

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
