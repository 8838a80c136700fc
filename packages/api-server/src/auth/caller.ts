import type { apiV2 } from '@ingot/api';

/** Who makes a call: nobody known, or whoever holds a token whose record is still there. */
export type Caller = { readonly kind: 'anonymous' } | { readonly kind: 'token'; readonly token: apiV2.Token };
