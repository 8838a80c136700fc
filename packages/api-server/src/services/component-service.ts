import { apiV2, bindService, create, infraV2, timestampFromMs, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.infra.v2.ComponentService`. */
export function componentService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof infraV2.ComponentService, Caller>(infraV2.ComponentService, {
    async ping({ type, identifier, startedAt, interval, version }, { caller }) {
      const known = await stores.components.find(type, identifier);
      await stores.components.put(
        create(apiV2.ComponentSchema, {
          uuid: known?.uuid ?? uuidV7(clock.now(), entropy),
          type,
          identifier,
          reportedAt: timestampFromMs(clock.now()),
          ...(startedAt === undefined ? {} : { startedAt }),
          ...(interval === undefined ? {} : { interval }),
          ...(version === undefined ? {} : { version }),
          ...(caller.kind === 'token' ? { token: caller.token } : {}),
        }),
      );
      return {};
    },
  });
}
