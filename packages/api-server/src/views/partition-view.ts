import { apiV2, clone } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';

/** A partition as clients see it. */
export function partitionView(stored: Stored<apiV2.Partition>): apiV2.Partition {
  const view = clone(apiV2.PartitionSchema, stored.value);
  view.meta = metaOf(stored, stored.value.meta?.labels);
  return view;
}
