import { apiV2, bindService, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.api.v2.MethodService`: what this server serves, and what the caller's token has of it. */
export function methodService({ methods }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.MethodService, Caller>(apiV2.MethodService, {
    list: () => ({ methods: [...methods.keys()].toSorted() }),
    tokenScopedList(_request, { caller }) {
      if (caller.kind === 'anonymous') return {};
      const { permissions, projectRoles, tenantRoles, adminRole, infraRole, machineRoles } = caller.token;
      return {
        permissions,
        projectRoles,
        tenantRoles,
        machineRoles,
        ...(adminRole === undefined ? {} : { adminRole }),
        ...(infraRole === undefined ? {} : { infraRole }),
      };
    },
  });
}
