import { bytesOfLatin1, Dhcp6OptionCode, dhcp6TextOption, dhcp6VendorClassOption, type Dhcp6Option } from '@ingot/wire';
import type { BootDecision } from '../decide/decision.ts';
import type { Dhcp6Request } from './request.ts';

/** Intel's, under which UEFI writes option 16. */
const INTEL_ENTERPRISE = 343;

/** Puts a decision where the client looks for it (RFC 5970, UEFI 2.10 §24.3.1 and §24.7.3). `tftpUrl`: `tftp://[2001:db8::1]`. */
export function bootOptions6(
  decision: BootDecision,
  request: Dhcp6Request,
  { tftpUrl, isBeside }: { tftpUrl: string; isBeside: boolean },
): Dhcp6Option[] {
  const enterprise = request.vendorClass?.enterprise ?? INTEL_ENTERPRISE;
  const vendorClass = (name: string): Dhcp6Option => dhcp6VendorClassOption(enterprise, [bytesOfLatin1(name)]);
  const url = (text: string): Dhcp6Option => dhcp6TextOption(Dhcp6OptionCode.BOOT_FILE_URL, text);
  switch (decision.kind) {
    case 'ignore':
      return [];
    case 'script':
      return [url(decision.url)];
    case 'chain-tftp':
      // EDK2 takes an answer without an address for a boot server's only with this class.
      return [...(isBeside ? [vendorClass('PXEClient')] : []), url(`${tftpUrl}/${decision.path}`)];
    case 'chain-http':
      // UEFI HTTP boot drops every offer of a URL without this class.
      return [vendorClass('HTTPClient'), url(decision.url)];
    default:
      return decision satisfies never;
  }
}
