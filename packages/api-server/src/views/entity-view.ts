import { apiV2, clone, create, type DescMessage, type MessageShape } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';

/** An entity as clients see it: with when it was made and changed. The body holds only its labels. */
export function entityView<Schema extends DescMessage>(
  schema: Schema,
  stored: Stored<MessageShape<Schema> & { meta?: apiV2.Meta | undefined }>,
): MessageShape<Schema> {
  const view = clone(schema, stored.value);
  return Object.assign(view, { meta: metaOf(stored, stored.value.meta?.labels) });
}

/** What is stored of the bookkeeping that a client sends with a new entity: its labels. */
export function labelsOnly(meta: apiV2.Meta | undefined): { readonly meta?: apiV2.Meta } {
  return meta?.labels === undefined ? {} : { meta: create(apiV2.MetaSchema, { labels: meta.labels }) };
}
