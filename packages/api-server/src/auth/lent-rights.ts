import { apiV2, clone, create, type MethodAccess } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import type { Lent, TokenRecord } from './caller.ts';
import { withMemberships } from './memberships.ts';
import { elevations } from './rights.ts';

type Rights = Pick<
  apiV2.Token,
  'adminRole' | 'infraRole' | 'machineRoles' | 'projectRoles' | 'tenantRoles' | 'permissions'
>;

/** Parts a token's rights into those that are its own and those that its maker's memberships lend it. */
export function splitRights({ token, lent }: TokenRecord): {
  readonly own: apiV2.Token;
  readonly borrowed?: apiV2.Token;
} {
  if (lent === undefined) return { own: token };
  const subjects = new Set(lent.subjects);
  const keep = (part: apiV2.Token, isLent: boolean): void => {
    const only = <Role>(roles: Record<string, Role>): Record<string, Role> =>
      Object.fromEntries(Object.entries(roles).filter(([subject]) => subjects.has(subject) === isLent));
    part.projectRoles = only(part.projectRoles);
    part.tenantRoles = only(part.tenantRoles);
    part.permissions = part.permissions.filter(({ subject }) => subjects.has(subject) === isLent);
  };
  const own = clone(apiV2.TokenSchema, token);
  keep(own, false);
  const borrowed = clone(apiV2.TokenSchema, token);
  keep(borrowed, true);
  borrowed.machineRoles = {};
  delete borrowed.adminRole;
  delete borrowed.infraRole;
  return { own, borrowed };
}

/**
 * What stands against a token with these rights, in words, and which of them the creator has as a member only. A person
 * has the rights of all memberships; any other token what it lists, as far as that is not lent or its lender still has it.
 */
export async function compareRights(
  stores: Stores,
  creator: TokenRecord,
  wanted: Rights,
  methods: ReadonlyMap<string, MethodAccess>,
): Promise<{ readonly tooMuch: readonly string[]; readonly lent?: Lent }> {
  const { own, borrowed } = splitRights(creator);
  const isPerson = creator.token.tokenType === apiV2.TokenType.USER;
  const maker = creator.lent?.maker ?? creator.token.user;
  const { others, bySubject } = aboutMembers(wanted, methods);
  const tooMuch = elevations(own, others, methods);
  const subjects: string[] = [];
  for (const [subject, part] of bySubject) {
    const about = { machines: [], project: subject, tenant: subject };
    const lacks = async (token: apiV2.Token, member: string | undefined): Promise<string[]> =>
      elevations(await withMemberships(stores, token, about, member), part, methods);
    if ((await lacks(own, undefined)).length === 0) continue;
    const missing = isPerson
      ? await lacks(own, maker)
      : borrowed === undefined
        ? await lacks(own, undefined)
        : [...(await lacks(borrowed, undefined)), ...(await lacks(create(apiV2.TokenSchema), maker))];
    if (missing.length === 0) subjects.push(subject);
    else tooMuch.push(...missing);
  }
  return { tooMuch: [...new Set(tooMuch)], ...(subjects.length === 0 ? {} : { lent: { maker, subjects } }) };
}

/** Parts rights into those about members of a project or tenant, by which one, and all others. */
function aboutMembers(
  wanted: Rights,
  methods: ReadonlyMap<string, MethodAccess>,
): { readonly others: apiV2.Token; readonly bySubject: ReadonlyMap<string, apiV2.Token> } {
  const others = create(apiV2.TokenSchema, { machineRoles: wanted.machineRoles });
  if (wanted.adminRole !== undefined) others.adminRole = wanted.adminRole;
  if (wanted.infraRole !== undefined) others.infraRole = wanted.infraRole;
  const bySubject = new Map<string, apiV2.Token>();
  const part = (subject: string): apiV2.Token => {
    const found = bySubject.get(subject) ?? create(apiV2.TokenSchema);
    bySubject.set(subject, found);
    return found;
  };
  for (const [project, role] of Object.entries(wanted.projectRoles)) part(project).projectRoles[project] = role;
  for (const [tenant, role] of Object.entries(wanted.tenantRoles)) part(tenant).tenantRoles[tenant] = role;
  for (const { subject, methods: paths } of wanted.permissions) {
    for (const path of paths) {
      const access = methods.get(path);
      const isAboutMembers = access !== undefined && access.projectRoles.length + access.tenantRoles.length > 0;
      const permission = create(apiV2.MethodPermissionSchema, { subject, methods: [path] });
      (isAboutMembers ? part(subject) : others).permissions.push(permission);
    }
  }
  return { others, bySubject };
}
