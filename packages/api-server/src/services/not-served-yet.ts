import { apiV2, bindService, infraV2, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';

/**
 * Services of the contract without any handler: their methods are authorised like all others and answer `Unimplemented`
 * with their name, which tells a client more than a path that does not exist.
 */
export function bmcService(): BoundService<Caller> {
  return bindService<typeof infraV2.BMCService, Caller>(infraV2.BMCService, {});
}

export function projectMachineService(): BoundService<Caller> {
  return bindService<typeof apiV2.MachineService, Caller>(apiV2.MachineService, {});
}
