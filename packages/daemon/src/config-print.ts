import { stringify } from 'yaml';
import { withoutSecrets, type SchemaNode } from './schema-node.ts';

/** What stands for a secret wherever a configuration or a log line is shown. */
export const REDACTED = '[redacted]';

/** The effective configuration as YAML, secrets redacted; but for them it can be used as a configuration file. */
export function printConfig(root: SchemaNode, config: unknown): string {
  return stringify(withoutSecrets(root, config, REDACTED), { lineWidth: 0 });
}
