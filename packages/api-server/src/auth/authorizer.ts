import { ApiError, apiV2, Code, create, methodPath, type AccessQuestion } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { authorize, subjectsOf } from './authorize.ts';
import type { Caller } from './caller.ts';
import { splitRights } from './lent-rights.ts';
import { withMemberships } from './memberships.ts';

const { TokenType } = apiV2;

/**
 * Decides about every call, streams included: by what the token says, then by what its user is a member of. A token of a
 * person has the rights of all memberships; any other one has what it lists, and with a role in a tenant the same role in
 * the projects of that tenant. What its maker's memberships lend a token, it may do as long as its maker may. Throws
 * `Unauthenticated` or `PermissionDenied`.
 */
export function createAuthorizer(stores: Stores): (question: AccessQuestion<Caller>) => Promise<void> {
  return async (question) => {
    const { caller, access, method, request } = question;
    if (caller.kind === 'anonymous') {
      authorize(question);
      return;
    }
    const { own, borrowed } = splitRights(caller);
    const allows = (token: apiV2.Token): boolean => isAllowed({ ...question, caller: { kind: 'token', token } });
    if (allows(own)) return;
    const isAboutMembers = access.projectRoles.length > 0 || access.tenantRoles.length > 0;
    const subjects = subjectsOf(methodPath(method), request);
    const member = own.tokenType === TokenType.USER ? own.user : undefined;
    const widened = isAboutMembers ? await withMemberships(stores, own, subjects, member) : own;
    if (borrowed === undefined || caller.lent === undefined || !isAboutMembers) {
      authorize({ ...question, caller: { kind: 'token', token: widened } });
      return;
    }
    if (allows(widened)) return;
    authorize({
      ...question,
      caller: { kind: 'token', token: await withMemberships(stores, borrowed, subjects, undefined) },
    });
    const { maker } = caller.lent;
    if (allows(await withMemberships(stores, create(apiV2.TokenSchema), subjects, maker))) return;
    throw new ApiError(
      Code.PermissionDenied,
      `token ${own.uuid} may call ${access.path} no more: it was lent this by ${maker}, who is no such member any more`,
    );
  };
}

function isAllowed(question: AccessQuestion<Caller>): boolean {
  try {
    authorize(question);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === Code.PermissionDenied) return false;
    throw error;
  }
}
