import { ipv4OfNumber } from '@ingot/wire';
import type { BootClient } from '../decide/client.ts';
import type { BootDecision } from '../decide/decision.ts';
import type { Subnet } from '../dhcp/subnets.ts';
import type { Policy } from '../policy.ts';

/** Which network a packet was taken to be from. */
export function networkWords(subnets: readonly Subnet[], id: string, mac: string): string {
  const subnet = subnets.find((each) => each.id === id);
  if (subnet === undefined) return `network ${id}`;
  const reserved = subnet.reservations.get(mac);
  const mode = subnet.mode === 'proxy' ? 'another server leases its addresses' : 'this server leases its addresses';
  const own = reserved === undefined ? '' : `; ${ipv4OfNumber(reserved)} is reserved for ${mac}`;
  return `network ${id}: ${mode}${own}`;
}

/** What a client was taken for. */
export function clientWords(client: BootClient): string {
  switch (client.kind) {
    case 'ipxe':
      return 'client: an iPXE that can fetch and run a script by itself (option 175, or user class pixiecore)';
    case 'firmware': {
      const { firmware, loads } = client.architecture;
      return `client: firmware of kind ${firmware} (option 93), which loads a boot loader by ${loads.toUpperCase()} first`;
    }
    case 'raspberry-pi':
      return 'client: the ROM of a Raspberry Pi';
    case 'not-booting':
      return 'client: it does not want to boot (no PXEClient or HTTPClient, no option 93, no iPXE)';
    case 'unknown-architecture':
      return `client: of an unknown architecture, ${client.architectures.join(', ')} (option 93)`;
    default:
      return client satisfies never;
  }
}

/** What was decided for it. */
export function decisionWords(decision: BootDecision, policy: Policy): string[] {
  switch (decision.kind) {
    case 'ignore':
      return [`decided: nothing to boot, ${decision.reason}`];
    case 'script':
      return [`decided: its script at once, ${decision.url}`];
    case 'chain-tftp':
    case 'chain-http': {
      if (decision.firmware === 'raspberryPi')
        return ['decided: the files that a Raspberry Pi asks for, from tftp.root'];
      const own = policy.config.ipxe.files[decision.firmware];
      const loads = decision.kind === 'chain-tftp' ? decision.path : decision.url;
      const isOwn = own !== undefined && loads.endsWith(`/${own}`);
      return [`decided: ${loads}, from ${isOwn ? `ipxe.files.${decision.firmware}` : 'the loader of its plan'}`];
    }
    default:
      return decision satisfies never;
  }
}
