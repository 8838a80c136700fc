import { isLinkLocal, isMulticast6, parseIpv6, parseIpv6Subnet, type Ipv6, type Ipv6Subnet } from '@ingot/wire';
import { configInvalid } from '../errors.ts';

/** An address that is good on every link. `where` names its setting in the BootServerError CONFIG_INVALID that is thrown. */
export function address(text: string, where: string): Ipv6 {
  const parsed = parseIpv6(text);
  if (!parsed.ok) throw configInvalid(`${where}: ${parsed.reason}`);
  if (isLinkLocal(parsed.value) || isMulticast6(parsed.value)) {
    throw configInvalid(`${where}: ${text} is good on one link only: write a global or unique local address`);
  }
  return parsed.value;
}

/** A network of the configuration; `where` as above. */
export function subnetOf(text: string, where: string): Ipv6Subnet {
  const parsed = parseIpv6Subnet(text);
  if (!parsed.ok) throw configInvalid(`${where}: ${parsed.reason}`);
  return parsed.value;
}
