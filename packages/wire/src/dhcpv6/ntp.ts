import { bytesOfIpv6, ipv6OfBytes } from '../ipv6.ts';
import type { Ipv6 } from '../ipv6.ts';
import { accept, malformed } from '../result.ts';
import type { Read } from '../result.ts';
import { decodeDomainNames, encodeDomainNames } from './domain-names.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import { decodeDhcp6Options, findDhcp6Option, withDhcp6Options } from './option.ts';
import type { Dhcp6Option } from './option.ts';

/** Sub-options of option 56 (RFC 5908 §4). */
const NtpSubOption = { SERVER_ADDRESS: 1, MULTICAST_ADDRESS: 2, SERVER_NAME: 3 } as const;

/** A time source of option 56. */
export type NtpServer =
  | { readonly kind: 'address' | 'multicast'; readonly address: Ipv6 }
  | { readonly kind: 'name'; readonly name: string };

/** Option 56; sub-options that RFC 5908 does not name are left out. Offsets are within the sub-option. */
export function readNtpServers(options: readonly Dhcp6Option[]): Read<readonly NtpServer[]> {
  const data = findDhcp6Option(options, Dhcp6OptionCode.NTP_SERVER);
  if (data === undefined) return undefined;
  const decoded = decodeDhcp6Options(data);
  if (!decoded.ok) return decoded;
  const servers: NtpServer[] = [];
  for (const { code, data: value } of decoded.value) {
    if (code === NtpSubOption.SERVER_ADDRESS || code === NtpSubOption.MULTICAST_ADDRESS) {
      const address = ipv6OfBytes(value);
      if (!address.ok) return address;
      const kind = code === NtpSubOption.SERVER_ADDRESS ? 'address' : 'multicast';
      servers.push({ kind, address: address.value });
    } else if (code === NtpSubOption.SERVER_NAME) {
      const names = decodeDomainNames(value);
      if (!names.ok) return names;
      const [name] = names.value;
      if (name === undefined || names.value.length > 1)
        return malformed(0, `${names.value.length} names where one belongs`);
      servers.push({ kind: 'name', name });
    }
  }
  return accept(servers);
}

export function ntpServersOption(servers: readonly NtpServer[]): Dhcp6Option {
  const options = servers.map((server): Dhcp6Option => {
    switch (server.kind) {
      case 'address':
        return { code: NtpSubOption.SERVER_ADDRESS, data: bytesOfIpv6(server.address) };
      case 'multicast':
        return { code: NtpSubOption.MULTICAST_ADDRESS, data: bytesOfIpv6(server.address) };
      case 'name':
        return { code: NtpSubOption.SERVER_NAME, data: encodeDomainNames([server.name]) };
    }
  });
  return { code: Dhcp6OptionCode.NTP_SERVER, data: withDhcp6Options(new Uint8Array(0), options) };
}
