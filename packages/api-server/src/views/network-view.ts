import { apiV2 } from '@ingot/api';
import { consumptionOf } from '../network/consumption.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { entityView } from './entity-view.ts';

/** A network as clients see it: with how much of it is used. */
export async function networkView(stores: Stores, found: Stored<apiV2.Network>): Promise<apiV2.Network> {
  const view = entityView(apiV2.NetworkSchema, found);
  view.consumption = await consumptionOf(stores, found.value);
  return view;
}
