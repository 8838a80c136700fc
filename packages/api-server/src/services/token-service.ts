import {
  adminV2,
  ApiError,
  apiV2,
  bindService,
  Code,
  create,
  timestampFromMs,
  timestampMs,
  type BoundService,
} from '@ingot/api';
import type { Caller, Lent, TokenRecord } from '../auth/caller.ts';
import { checkElevation, mintToken, wantedRights } from '../auth/mint-token.ts';
import type { ServiceDependencies } from './context.ts';
import { updateLabels } from './update-entity.ts';

const { AdminRole, InfraRole, TokenType } = apiV2;

/** `metalstack.api.v2.TokenService`: tokens of the caller's user. */
export function tokenService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores, issuer, methods, clock } = dependencies;
  const own = async (uuid: string, caller: Caller): Promise<apiV2.Token> => {
    const token = (await stores.tokens.get(uuid))?.token;
    // Somebody else's token looks like none, so that UUIDs cannot be tried out.
    if (token === undefined || token.user !== tokenOf(caller).user) throw noToken(uuid);
    return token;
  };
  return bindService<typeof apiV2.TokenService, Caller>(apiV2.TokenService, {
    create: (request, { caller }) => {
      const creator = recordOf(caller);
      return mintToken(dependencies, creator, creator.token.user, request);
    },
    get: async ({ uuid }, { caller }) => ({ token: await own(uuid, caller) }),
    async list({ query }, { caller }) {
      const tokens = await stores.tokens.list(tokenOf(caller).user);
      return { tokens: tokens.filter((token) => matches(token, query)) };
    },
    update: (request, { caller }) =>
      stores.transaction(async (inner) => {
        const found = await inner.tokens.get(request.uuid);
        if (found?.token.user !== tokenOf(caller).user) throw noToken(request.uuid);
        const { token } = found;
        refuseChanged(token, request.updateMeta);
        const wanted = wantedRights(request, methods);
        const lent = bothLent(found.lent, await checkElevation(inner, recordOf(caller), wanted, methods));
        if (request.description !== undefined) token.description = request.description;
        changeRights(token, wanted);
        updateLabels(token, request.labels);
        token.meta ??= create(apiV2.MetaSchema);
        token.meta.updatedAt = timestampFromMs(clock.now());
        await inner.tokens.replace({ token, lent });
        return { token };
      }),
    async revoke({ uuid }, { caller }) {
      await stores.tokens.delete((await own(uuid, caller)).uuid);
      return {};
    },
    async refresh(_request, { caller }) {
      // The record, not the caller: what a membership adds for this call is not in it.
      const record = await stores.tokens.get(tokenOf(caller).uuid);
      if (record === undefined) throw noToken(tokenOf(caller).uuid);
      const { token, lent } = record;
      const lifetimeMs =
        token.expires === undefined || token.issuedAt === undefined
          ? 0
          : timestampMs(token.expires) - timestampMs(token.issuedAt);
      return issuer.issue({
        user: token.user,
        lent,
        description: token.description,
        tokenType: token.tokenType,
        lifetimeMs,
        permissions: token.permissions,
        machineRoles: token.machineRoles,
        projectRoles: token.projectRoles,
        tenantRoles: token.tenantRoles,
        ...(token.adminRole === undefined ? {} : { adminRole: token.adminRole }),
        ...(token.infraRole === undefined ? {} : { infraRole: token.infraRole }),
        ...(token.meta?.labels === undefined ? {} : { labels: token.meta.labels }),
      });
    },
  });
}

/** `metalstack.admin.v2.TokenService`: tokens of everybody. */
export function adminTokenService(dependencies: ServiceDependencies): BoundService<Caller> {
  const { stores } = dependencies;
  return bindService<typeof adminV2.TokenService, Caller>(adminV2.TokenService, {
    create({ user, tokenCreateRequest }, { caller }) {
      if (tokenCreateRequest === undefined) {
        throw new ApiError(Code.InvalidArgument, 'token_create_request is required');
      }
      const creator = recordOf(caller);
      const isPersons = user !== undefined && listsNothing(tokenCreateRequest);
      if (isPersons && creator.token.adminRole !== AdminRole.EDITOR) {
        throw new ApiError(
          Code.PermissionDenied,
          `a token that lists no right has the memberships of user "${user}": only an administrator may make it`,
        );
      }
      const type = isPersons ? TokenType.USER : TokenType.API;
      return mintToken(dependencies, creator, user ?? creator.token.user, tokenCreateRequest, type);
    },
    list: async ({ query }) => ({
      tokens: (await stores.tokens.list(query?.user)).filter((token) => matches(token, query)),
    }),
    async revoke({ uuid, user }) {
      const token = (await stores.tokens.get(uuid))?.token;
      if (token === undefined || (user !== '' && token.user !== user)) throw noToken(uuid);
      await stores.tokens.delete(uuid);
      return {};
    },
  });
}

/**
 * What is not named stays: a token never loses a right by an update that is about another one. A kind of right is taken
 * away by naming it without anything: the role of number 0, a list of no methods.
 */
function changeRights(token: apiV2.Token, wanted: apiV2.Token): void {
  if (wanted.permissions.length > 0) token.permissions = wanted.permissions.filter(({ methods }) => methods.length > 0);
  if (Object.keys(wanted.projectRoles).length > 0) token.projectRoles = heldRoles(wanted.projectRoles);
  if (Object.keys(wanted.tenantRoles).length > 0) token.tenantRoles = heldRoles(wanted.tenantRoles);
  if (Object.keys(wanted.machineRoles).length > 0) token.machineRoles = heldRoles(wanted.machineRoles);
  if (wanted.adminRole !== undefined) token.adminRole = wanted.adminRole;
  if (wanted.infraRole !== undefined) token.infraRole = wanted.infraRole;
  if (wanted.adminRole === AdminRole.UNSPECIFIED) delete token.adminRole;
  if (wanted.infraRole === InfraRole.UNSPECIFIED) delete token.infraRole;
}

/** No role says nothing, but beside a role for all: there it is an exception. */
function heldRoles<Role extends number>(roles: Readonly<Record<string, Role>>): Record<string, Role> {
  return Object.fromEntries(Object.entries(roles).filter(([, role]) => role !== 0 || roles['*'] !== undefined));
}

/** A token that is made for a user and lists no right is that person's own: it has the rights of its memberships. */
function listsNothing(request: apiV2.TokenServiceCreateRequest): boolean {
  const { permissions, projectRoles, tenantRoles, machineRoles, adminRole, infraRole } = request;
  const roles = [projectRoles, tenantRoles, machineRoles].flatMap((of) => Object.keys(of));
  return permissions.length === 0 && roles.length === 0 && adminRole === undefined && infraRole === undefined;
}

/** Whoever says what it has read changes nothing that was changed since. */
function refuseChanged({ uuid, meta }: apiV2.Token, update: apiV2.UpdateMeta | undefined): void {
  const seen = update?.updatedAt;
  const last = meta?.updatedAt ?? meta?.createdAt;
  if (seen === undefined || update?.lockingStrategy === apiV2.OptimisticLockingStrategy.SERVER) return;
  if (last !== undefined && timestampMs(seen) === timestampMs(last)) return;
  throw new ApiError(
    Code.Aborted,
    `token ${uuid} was changed since you have read it: get it again, and repeat your change on it`,
  );
}

/** What of a token is lent once it was changed: more, never less. Throws `FailedPrecondition` for two lenders. */
function bothLent(before: Lent | undefined, now: Lent | undefined): Lent | undefined {
  if (before === undefined || now === undefined) return before ?? now;
  if (before.maker !== now.maker) {
    throw new ApiError(
      Code.FailedPrecondition,
      `this token has rights of ${before.maker}, who made it, and cannot have some of ${now.maker} too: make another one`,
    );
  }
  return { maker: now.maker, subjects: [...new Set([...before.subjects, ...now.subjects])] };
}

function tokenOf(caller: Caller): apiV2.Token {
  return recordOf(caller).token;
}

function recordOf(caller: Caller): TokenRecord {
  if (caller.kind === 'token') return caller;
  throw new ApiError(Code.Unauthenticated, 'this call needs a token');
}

function noToken(uuid: string): ApiError {
  return new ApiError(Code.NotFound, `there is no token ${uuid} of this user`);
}

function matches(token: apiV2.Token, query: apiV2.TokenQuery | undefined): boolean {
  if (query === undefined) return true;
  const labels = Object.entries(query.labels?.labels ?? {});
  return (
    (query.uuid === undefined || token.uuid === query.uuid) &&
    (query.user === undefined || token.user === query.user) &&
    (query.description === undefined || token.description === query.description) &&
    (query.tokenType === undefined || token.tokenType === query.tokenType) &&
    labels.every(([key, value]) => token.meta?.labels?.labels[key] === value)
  );
}
