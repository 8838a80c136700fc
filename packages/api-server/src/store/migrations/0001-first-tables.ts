/**
 * Entities are JSON (protobuf's own mapping) with the columns that are searched by; `generation` counts changes of the
 * body. Times are milliseconds since the epoch.
 */
export const firstTables = `
CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE partition (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE machine (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  partition TEXT NOT NULL
) STRICT;
CREATE INDEX machine_partition ON machine (partition);

-- Holds passwords, so it is never part of a machine's body.
CREATE TABLE machine_bmc (
  id TEXT PRIMARY KEY REFERENCES machine (id) ON DELETE CASCADE,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE switch (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  partition TEXT NOT NULL
) STRICT;
CREATE INDEX switch_partition ON switch (partition);

-- Written every few seconds, and no change of what the switch should be: kept apart, so that generations stay calm.
CREATE TABLE switch_status (
  id TEXT PRIMARY KEY REFERENCES switch (id) ON DELETE CASCADE,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE event_container (
  machine TEXT PRIMARY KEY,
  last_event_at INTEGER,
  last_error TEXT,
  crash_loop INTEGER NOT NULL,
  failed_reclaim INTEGER NOT NULL
) STRICT;

CREATE TABLE event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  machine TEXT NOT NULL,
  at INTEGER NOT NULL,
  type INTEGER NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX event_machine ON event (machine, sequence);

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  "user" TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_user ON token ("user");

CREATE TABLE component (
  id TEXT PRIMARY KEY,
  type INTEGER NOT NULL,
  identifier TEXT NOT NULL,
  reported_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (type, identifier)
) STRICT;
`;
