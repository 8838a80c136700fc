import type { MethodAccess } from '@ingot/api';
import type { Clock, Entropy } from '@ingot/net';
import type { TokenIssuer } from '../auth/token-issuer.ts';
import type { WaitingRoom } from '../machine/waiting-room.ts';
import type { Database } from '../store/database.ts';
import type { Stores } from '../store/stores.ts';
import type { LongReads } from '../views/long-reads.ts';

/** What the services work with. */
export interface ServiceDependencies {
  readonly stores: Stores;
  readonly database: Pick<Database, 'subscribe'>;
  readonly waitingRoom: WaitingRoom;
  readonly issuer: TokenIssuer;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Version of this program. */
  readonly version: string;
  /** Every method that is served, by path: what permissions may name. */
  readonly methods: ReadonlyMap<string, MethodAccess>;
  /** What the superuser of every BMC is to have; undefined: there is to be no superuser. Asked at each use. */
  readonly superUserPassword: () => string | undefined;
  /** Where those wait who read thousands of machines. */
  readonly longReads: LongReads;
  /** Partitions that the configuration defines. */
  readonly configured: ReadonlySet<string>;
}
