import type { Health, Logger, Metrics } from '@ingot/daemon';
import type { Clock, Entropy } from '@ingot/net';
import type { Registration, SwitchApi } from './api.ts';
import type { BgpSessionsOptions } from './bgp-sessions.ts';
import type { LinkState } from './link-state.ts';
import type { NamingSchema } from './naming.ts';
import type { Problems } from './problems.ts';
import type { Reconciler } from './reconcile/reconciler.ts';
import type { SonicDb } from './sonic-db.ts';
import type { TokenFile } from './token/token-file.ts';

/** What the agent knows of its switch before it has asked anybody. */
export type SwitchIdentity = Omit<Registration, 'ports'>;

export interface SwitchAgentOptions {
  readonly identity: SwitchIdentity;
  readonly namingSchema: NamingSchema;
  /** Whether a port, by its SONiC name, has link. Never rejects. */
  readonly linkState: (port: string) => Promise<LinkState>;
  readonly periodMs: number;
  readonly configDb: SonicDb;
  readonly appDb: SonicDb;
  readonly api: SwitchApi;
  /** Where the token is that `api` uses; absent: nobody renews it. */
  readonly tokenFile?: TokenFile;
  /** Ports that are not registered. */
  readonly leaveOut?: readonly string[];
  /** Makes the switch what the API wants; absent: nobody compares them. */
  readonly reconcile?: { readonly reconciler: Reconciler; readonly periodMs: number; readonly cycleMs: number };
  /** The BGP sessions of the switch; absent: nobody looks at them. */
  readonly bgp?: Pick<BgpSessionsOptions, 'read' | 'tellApi'> | undefined;
  readonly problems: Problems;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly status: (text: string) => void;
}
