import type { Migration } from './migration.ts';

/** A reference is looked up in the index of the switches, which others write who register at the same time. */
export const switchStatus: Migration = {
  sqlite: `
CREATE TABLE switch_status_free (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;
INSERT INTO switch_status_free (id, body) SELECT id, body FROM switch_status;
DROP TABLE switch_status;
ALTER TABLE switch_status_free RENAME TO switch_status;
`,
  postgres: `
ALTER TABLE switch_status DROP CONSTRAINT switch_status_id_fkey;
`,
};
