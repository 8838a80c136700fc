import { getOption, hasOption, type DescMethod } from '@bufbuild/protobuf';
import {
  admin_roles,
  auditing,
  Auditing,
  infra_roles,
  machine_roles,
  project_roles,
  tenant_roles,
  visibility,
  Visibility,
  type AdminRole,
  type InfraRole,
  type MachineRole,
  type ProjectRole,
  type TenantRole,
} from './gen/metalstack/api/v2/common_pb.ts';

/** Who may call a method, as the contract's options say. Several roles mean any of them. */
export interface MethodAccess {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Whom the method is for without any role: `public` anybody, `self` any caller with a token, about itself. */
  readonly visibility: 'public' | 'self' | 'roles';
  readonly adminRoles: readonly AdminRole[];
  readonly infraRoles: readonly InfraRole[];
  readonly machineRoles: readonly MachineRole[];
  readonly projectRoles: readonly ProjectRole[];
  readonly tenantRoles: readonly TenantRole[];
  /** Whether calls belong in an audit log. */
  readonly audited: boolean;
}

/** `/package.Service/Method`, as gRPC and Connect spell it. */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Reads who may call `method` from its options. */
export function methodAccess(method: DescMethod): MethodAccess {
  const shown = hasOption(method, visibility) ? getOption(method, visibility) : Visibility.UNSPECIFIED;
  return {
    path: methodPath(method),
    visibility: shown === Visibility.PUBLIC ? 'public' : shown === Visibility.SELF ? 'self' : 'roles',
    adminRoles: getOption(method, admin_roles),
    infraRoles: getOption(method, infra_roles),
    machineRoles: getOption(method, machine_roles),
    projectRoles: getOption(method, project_roles),
    tenantRoles: getOption(method, tenant_roles),
    audited: getOption(method, auditing) !== Auditing.EXCLUDED,
  };
}
