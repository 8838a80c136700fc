import { bindService, ingotAdminV1, type BoundService } from '@ingot/api';
import { uuidV7 } from '../auth/uuid-v7.ts';
import type { Caller } from '../auth/caller.ts';
import { cancelWipe, orderWipe } from '../machine/wipe-order.ts';
import type { ServiceDependencies } from './context.ts';

/** `ingot.admin.v1.WipeService`: a machine that waits is told at once. */
export function wipeService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof ingotAdminV1.WipeService, Caller>(ingotAdminV1.WipeService, {
    order: async ({ uuid }) => ({ order: await orderWipe(stores, uuid, () => uuidV7(clock.now(), entropy)) }),
    cancel: async ({ uuid }) => ({ order: (await cancelWipe(stores, uuid)) ?? '' }),
  });
}
