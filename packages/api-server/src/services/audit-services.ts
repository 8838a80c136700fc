import { adminV2, ApiError, apiV2, bindService, Code, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { ServiceDependencies } from './context.ts';

/** `metalstack.api.v2.AuditService`: what was done with a tenant and its projects. */
export function auditService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.AuditService, Caller>(apiV2.AuditService, {
    async get({ login, uuid, phase }) {
      const trace = await stores.audit.get(uuid, phase, login);
      if (trace === undefined) throw new ApiError(Code.NotFound, `tenant "${login}" has no audit trace ${uuid}`);
      return { trace };
    },
    list: async ({ login, query }) => ({ traces: await stores.audit.list(query, login) }),
  });
}

/** `metalstack.admin.v2.AuditService`: what was done by anybody. */
export function adminAuditService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.AuditService, Caller>(adminV2.AuditService, {
    async get({ uuid, phase }) {
      const trace = await stores.audit.get(uuid, phase);
      if (trace === undefined) throw new ApiError(Code.NotFound, `there is no audit trace ${uuid}`);
      return { trace };
    },
    list: async ({ query }) => ({ traces: await stores.audit.list(query) }),
  });
}

/** `metalstack.admin.v2.VPNService`: this server has no VPN to join machines to. */
export function vpnService(): BoundService<Caller> {
  const none = (): never => {
    throw new ApiError(
      Code.Unimplemented,
      'this server runs no VPN: machines are reached through the management network of their partition',
    );
  };
  return bindService<typeof adminV2.VPNService, Caller>(adminV2.VPNService, { authKey: none, listNodes: none });
}
