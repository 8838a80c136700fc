import type { SecretStore } from '../store/secret-store.ts';
import type { Identity } from './certificates.ts';

/** The authority of all servers on one database: it is in the database, so that a backup of that has it, too. */
export interface AuthorityStore {
  /** Whether other servers use the same one at the same time, so that no server may replace it. */
  readonly shared: boolean;
  get(): Promise<Identity | undefined>;
  /** Stores it unless there is one; answers the one that is there. */
  offer(authority: Identity): Promise<Identity>;
  put(authority: Identity): Promise<void>;
}

const NAME = 'tls-authority';

export function createAuthorityStore(secrets: SecretStore, shared: boolean): AuthorityStore {
  return {
    shared,
    async get() {
      const stored = await secrets.get(NAME);
      return stored === undefined ? undefined : parse(stored);
    },
    offer: async ({ cert, key }) => parse(await secrets.offer(NAME, JSON.stringify({ cert, key }))),
    put: ({ cert, key }) => secrets.put(NAME, JSON.stringify({ cert, key })),
  };
}

function parse(json: string): Identity {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError(`${NAME} holds no authority`);
  const { cert, key }: Partial<Record<keyof Identity, unknown>> = parsed;
  if (typeof cert !== 'string' || typeof key !== 'string') throw new TypeError(`${NAME} holds no authority`);
  return { cert, key };
}
