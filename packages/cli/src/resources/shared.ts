import { apiV2 } from '@ingot/api';

/** The labels of a document in the place of those that are there; nothing where the document has none. */
export function labelsOf(message: { readonly meta?: apiV2.Meta | undefined }): {
  readonly labels?: apiV2.UpdateLabels;
} {
  const labels = message.meta?.labels;
  return labels === undefined
    ? {}
    : { labels: { $typeName: 'metalstack.api.v2.UpdateLabels', strategy: { case: 'replace', value: labels } } };
}

/** What belongs to projects can be listed by one. */
export const OF_PROJECT = {
  flag: '--project <uuid|name>',
  description: 'only what belongs to this project; enough for this is a token of the project',
} as const;
