import { apiV2, methodPath } from '@ingot/api';
import type { RightsFlags } from './rights.ts';

const { FilesystemService, ImageService, MethodService, PartitionService, ProjectService } = apiV2;
const { SizeImageConstraintService, SizeService, TenantService, TokenService, UserService } = apiV2;

/**
 * What anybody who signs in may read: what there is to be had, and who he is. The contract counts it among the methods about
 * the caller, which no role comes with.
 */
const READS: readonly string[] = [
  FilesystemService.method.get,
  FilesystemService.method.list,
  ImageService.method.get,
  ImageService.method.list,
  ImageService.method.latest,
  MethodService.method.tokenScopedList,
  PartitionService.method.get,
  PartitionService.method.list,
  ProjectService.method.list,
  SizeImageConstraintService.method.try,
  SizeService.method.get,
  SizeService.method.list,
  TenantService.method.list,
  TokenService.method.get,
  TokenService.method.list,
  UserService.method.get,
].map(methodPath);

/**
 * With the methods that are for whoever is a person to the API: who has a role for everything, a project or a tenant. An
 * editor of everything may call them anyway.
 */
export function withReads(flags: RightsFlags & { readonly reads: boolean }): RightsFlags {
  const { adminRole, projectRole, tenantRole, selfMethod = [], reads } = flags;
  const isPerson = adminRole === 'viewer' || projectRole !== undefined || tenantRole !== undefined;
  return isPerson && reads ? { ...flags, selfMethod: [...new Set([...READS, ...selfMethod])] } : flags;
}
