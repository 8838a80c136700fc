import { parseIpv4, type Ipv4 } from '@ingot/wire';
import { configInvalid } from '../errors.ts';
import { numberOfIpv4, parseNetwork, type Ipv4Network } from '../ipv4.ts';

/** An address of the configuration. `where` names its setting in the BootServerError CONFIG_INVALID that is thrown. */
export function address(text: string, where: string): Ipv4 {
  const parsed = parseIpv4(text);
  if (!parsed.ok) throw configInvalid(`${where}: ${parsed.reason}`);
  return parsed.value;
}

/** The same as an unsigned 32-bit number. */
export function number(text: string, where: string): number {
  const value = numberOfIpv4(text);
  if (value === undefined) throw configInvalid(`${where}: ${text} is no IPv4 address`);
  return value;
}

/** A network of the configuration; `where` as above. */
export function network(text: string, where: string): Ipv4Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw configInvalid(`${where}: ${text} is no network`);
  return parsed;
}
