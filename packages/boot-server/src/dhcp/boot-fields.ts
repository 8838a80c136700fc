import {
  DiscoveryControl,
  IpxeCode,
  ipxeOption,
  OptionCode,
  pxeVendorOption,
  textOption,
  type DhcpOption,
  type Ipv4,
} from '@ingot/wire';
import type { BootDecision } from '../decide/decision.ts';
import type { QuirkEffect } from '../decide/quirks.ts';

/** The part of a reply that tells what to boot. */
export interface BootFields {
  readonly siaddr: Ipv4;
  readonly sname: string;
  readonly file: string;
  readonly options: readonly DhcpOption[];
}

/** `lease`: together with an address. `proxy`: beside another server's lease. `pxe`: the answer on port 4011. */
export type ReplyRole = 'lease' | 'proxy' | 'pxe';

/** The `file` field holds 127 bytes and a NUL. */
const FILE_TEXT_BYTES = 127;

/** Puts a decision where the client in question looks for it; undefined when there is nothing to say. */
export function bootFields(
  decision: BootDecision,
  role: ReplyRole,
  server: Ipv4,
  quirks: QuirkEffect = {},
): BootFields | undefined {
  switch (decision.kind) {
    case 'ignore':
      return undefined;
    case 'script':
      // iPXE takes an offer without an address at once only if it has siaddr and a file name; else it goes to 4011.
      return fields(server, '', decision.url, [role === 'lease' ? NO_PROXY_WAIT : PXE_CLIENT]);
    case 'chain-tftp':
      if (decision.firmware === 'raspberryPi')
        return fields(server, '', decision.path, [PXE_CLIENT, RASPBERRY_PI_BOOT]);
      // In a lease plain BOOTP fields do: with option 60 EDK2 would take the offer for one that needs port 4011.
      if (role === 'lease') return fields(server, '', decision.path, []);
      // Without option 43 UEFI asks port 4011 and boots what it hears there. A BIOS is told to load the file at once.
      return fields(server, server, decision.path, [
        PXE_CLIENT,
        ...(decision.firmware === 'bios' || quirks.fileAtOnce === true ? [USE_THIS_FILE] : []),
      ]);
    case 'chain-http':
      if (decision.byIpxe === true)
        return fields(server, '', decision.url, [role === 'lease' ? NO_PROXY_WAIT : PXE_CLIENT]);
      // UEFI HTTP boot drops every offer without this vendor class. It loads by URL and never asks port 4011.
      return role === 'pxe'
        ? undefined
        : fields(server, '', decision.url, [textOption(OptionCode.VENDOR_CLASS, 'HTTPClient')]);
    default:
      return decision satisfies never;
  }
}

const PXE_CLIENT = textOption(OptionCode.VENDOR_CLASS, 'PXEClient');
/** 06 01 08 ff. */
const USE_THIS_FILE = pxeVendorOption({ discoveryControl: DiscoveryControl.USE_BOOT_FILE });
/**
 * The Raspberry Pi looks for its words in here. No option 66: there are ROMs that misread it (raspberrypi/rpi-eeprom#72).
 * 06 01 03 | 09 14 00 00 11 "Raspberry Pi Boot" | 0a 04 00 "PXE" | ff.
 */
const RASPBERRY_PI_BOOT = pxeVendorOption({
  discoveryControl: DiscoveryControl.NO_BROADCAST | DiscoveryControl.NO_MULTICAST,
  menu: [{ type: 0, description: 'Raspberry Pi Boot' }],
  prompt: { timeoutSeconds: 0, text: 'PXE' },
});
/** Saves the 3 s that iPXE waits for a ProxyDHCP server which is not there. */
const NO_PROXY_WAIT = ipxeOption([{ code: IpxeCode.NO_PROXY, data: Uint8Array.of(1) }]);

function fields(siaddr: Ipv4, sname: string, file: string, options: readonly DhcpOption[]): BootFields {
  if (Buffer.byteLength(file) <= FILE_TEXT_BYTES) return { siaddr, sname, file, options };
  return { siaddr, sname, file: '', options: [...options, textOption(OptionCode.BOOT_FILE_NAME, file)] };
}
