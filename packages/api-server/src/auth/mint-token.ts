import { ApiError, apiV2, Code, create, durationMs, type MethodAccess } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import type { Lent, TokenRecord } from './caller.ts';
import { compareRights } from './lent-rights.ts';
import type { TokenIssuer } from './token-issuer.ts';

interface MintContext {
  readonly stores: Stores;
  readonly issuer: TokenIssuer;
  readonly methods: ReadonlyMap<string, MethodAccess>;
}

const DEFAULT_LIFETIME_MS = 8 * 60 * 60 * 1000;

/**
 * Mints a token that may do no more than its creator. Throws `PermissionDenied` naming each right that is too much, and
 * `InvalidArgument` naming each listed method that does not exist or is about something else.
 */
export async function mintToken(
  { stores, issuer, methods }: MintContext,
  creator: TokenRecord,
  user: string,
  request: apiV2.TokenServiceCreateRequest,
  tokenType: apiV2.TokenType = apiV2.TokenType.API,
): Promise<{ readonly token: apiV2.Token; readonly secret: string }> {
  const wanted = wantedRights(request, methods);
  const lent = await checkElevation(stores, creator, wanted, methods);
  return issuer.issue({
    user,
    lent,
    description: request.description,
    tokenType,
    lifetimeMs: request.expires === undefined ? DEFAULT_LIFETIME_MS : durationMs(request.expires),
    permissions: wanted.permissions,
    machineRoles: wanted.machineRoles,
    projectRoles: wanted.projectRoles,
    tenantRoles: wanted.tenantRoles,
    // The role of number 0 is none.
    ...(wanted.adminRole ? { adminRole: wanted.adminRole } : {}),
    ...(wanted.infraRole ? { infraRole: wanted.infraRole } : {}),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
  });
}

/** The rights that a request names. Throws `InvalidArgument` for methods that do not exist, or are about something else. */
export function wantedRights(request: RightsRequest, methods: ReadonlyMap<string, MethodAccess>): apiV2.Token {
  return create(apiV2.TokenSchema, {
    permissions: permissionsOf(request.permissions, methods),
    machineRoles: request.machineRoles,
    projectRoles: request.projectRoles,
    tenantRoles: request.tenantRoles,
    ...(request.adminRole === undefined ? {} : { adminRole: request.adminRole }),
    ...(request.infraRole === undefined ? {} : { infraRole: request.infraRole }),
  });
}

type RightsRequest = Pick<
  apiV2.TokenServiceCreateRequest,
  'permissions' | 'machineRoles' | 'projectRoles' | 'tenantRoles' | 'adminRole' | 'infraRole'
>;

/** What the creator has only as a member. Throws `PermissionDenied` naming each right that it lacks. */
export async function checkElevation(
  stores: Stores,
  creator: TokenRecord,
  wanted: apiV2.Token,
  methods: ReadonlyMap<string, MethodAccess>,
): Promise<Lent | undefined> {
  const { tooMuch, lent } = await compareRights(stores, creator, wanted, methods);
  if (tooMuch.length > 0) {
    throw new ApiError(
      Code.PermissionDenied,
      `a token may not do more than its creator; token ${creator.token.uuid} lacks: ${tooMuch.join(', ')}`,
    );
  }
  return lent;
}

/** Requests list methods by what they are about; records only by subject. Nothing in particular is the empty subject. */
function permissionsOf(
  requested: readonly apiV2.PermissionsByVisibility[],
  methods: ReadonlyMap<string, MethodAccess>,
): apiV2.MethodPermission[] {
  const wrong: string[] = [];
  const permissions = requested.flatMap(({ visibility }) => {
    if (visibility.case === undefined) return [];
    const kind = visibility.case;
    for (const path of visibility.value.methods) {
      const access = methods.get(path);
      if (access === undefined) wrong.push(`${path} is not served`);
      else if (!fits(kind, access)) wrong.push(`${path} is no method of visibility "${kind}"`);
    }
    return [
      create(apiV2.MethodPermissionSchema, { subject: subjectOf(visibility), methods: visibility.value.methods }),
    ];
  });
  if (wrong.length > 0) throw new ApiError(Code.InvalidArgument, `permissions: ${wrong.join('; ')}`);
  return permissions;
}

type Kind = NonNullable<apiV2.PermissionsByVisibility['visibility']['case']>;

function fits(kind: Kind, access: MethodAccess): boolean {
  if (kind === 'public' || kind === 'self') return access.visibility === kind;
  const roles = {
    admin: access.adminRoles,
    infra: access.infraRoles,
    machine: access.machineRoles,
    project: access.projectRoles,
    tenant: access.tenantRoles,
  };
  return roles[kind].length > 0;
}

function subjectOf(visibility: apiV2.PermissionsByVisibility['visibility']): string {
  if (visibility.case === 'machine') return visibility.value.uuid;
  if (visibility.case === 'project') return visibility.value.project;
  return visibility.case === 'tenant' ? visibility.value.login : '';
}
