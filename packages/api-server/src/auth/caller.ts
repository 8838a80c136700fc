import type { apiV2 } from '@ingot/api';

/** Who makes a call: nobody known, or whoever holds a token whose record is still there. */
export type Caller = { readonly kind: 'anonymous' } | ({ readonly kind: 'token' } & TokenRecord);

/** What is stored of a token. */
export interface TokenRecord {
  readonly token: apiV2.Token;
  /** Undefined: all its rights are its own. */
  readonly lent?: Lent | undefined;
}

/** Which rights of a token its maker has only as a member of projects and tenants: they hold as long as these do. */
export interface Lent {
  /** The user whose memberships count. */
  readonly maker: string;
  /** Projects and tenants. */
  readonly subjects: readonly string[];
}
