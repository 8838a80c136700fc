/** What servers that share a database know of each other. */
export const replicas: string = `
-- A machine that holds a Wait stream, at whichever server; the seat tells a newer stream from an older one.
CREATE TABLE waiting (
  machine TEXT PRIMARY KEY,
  seat TEXT NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE INDEX waiting_seat ON waiting (seat);

-- Who does the periodic work, and until when nobody else may.
CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until INTEGER NOT NULL
) STRICT;
`;
