import { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { createTokenStore, type TokenStore } from '../auth/token-store.ts';
import { createEventStore, type EventStore } from '../events/event-store.ts';
import { createComponentStore, type ComponentStore } from './component-store.ts';
import type { Database } from './database.ts';
import { entityTable, type EntityTable } from './entity-table.ts';
import { createBmcStore, type BmcStore } from './bmc-store.ts';
import { createSwitchStatusStore, type SwitchStatusStore } from './switch-status-store.ts';

/** Everything that is stored, over one database. */
export interface Stores {
  readonly database: Database;
  readonly partitions: EntityTable<apiV2.Partition>;
  /** Bodies hold the ID of partition and size only, and neither events nor liveliness: see `machine-view.ts`. */
  readonly machines: EntityTable<apiV2.Machine>;
  readonly bmcs: BmcStore;
  /** Bodies hold what was registered and is desired; what heartbeats report is in `switchStatus`. */
  readonly switches: EntityTable<apiV2.Switch>;
  readonly switchStatus: SwitchStatusStore;
  readonly events: EventStore;
  readonly tokens: TokenStore;
  readonly components: ComponentStore;
}

export function createStores(database: Database, clock: Clock): Stores {
  const partitionOf = (value: apiV2.Machine): Record<string, string> => ({ partition: value.partition?.id ?? '' });
  return {
    database,
    partitions: entityTable({ database, clock, table: 'partition', schema: apiV2.PartitionSchema }),
    machines: entityTable({
      database,
      clock,
      table: 'machine',
      schema: apiV2.MachineSchema,
      columns: partitionOf,
    }),
    bmcs: createBmcStore(database),
    switches: entityTable({
      database,
      clock,
      table: 'switch',
      schema: apiV2.SwitchSchema,
      columns: (value) => ({ partition: value.partition }),
    }),
    switchStatus: createSwitchStatusStore(database),
    events: createEventStore(database, clock),
    tokens: createTokenStore(database, clock),
    components: createComponentStore(database, clock),
  };
}
