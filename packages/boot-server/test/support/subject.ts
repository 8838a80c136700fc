import type { BootSubject } from '../../src/decide/boot-plan.ts';
import { MAC_1, UUID } from './dhcp-messages.ts';

/** A UEFI machine that shows its UUID, and nothing else of itself. */
export function bootSubject(change: Partial<BootSubject> = {}): BootSubject {
  return {
    mac: MAC_1,
    uuid: UUID,
    serial: undefined,
    circuitId: undefined,
    remoteId: undefined,
    hostname: undefined,
    architectures: [7],
    subnet: undefined,
    ...change,
  };
}
